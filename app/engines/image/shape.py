"""What goes into the network and what comes out."""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

#: Width and height of the picture that the network reads.
SIDE = 260
#: What it sees in one.
FEATURES = 1280
