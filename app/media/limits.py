"""What one file may take. A file beyond these is refused, with a message that says so."""

from dataclasses import dataclass

#: Pixels of an image or of a video's frame.
MAX_PIXELS = 50_000_000
#: Pixels on the longer side of what is handed on; no judge reads finer detail.
LONG_SIDE = 1280
#: Frames of an animation handed on, evenly spread.
MAX_IMAGE_FRAMES = 4
#: Frames of an animation looked at, and their pixels in all; what follows is left out.
MAX_WALKED_FRAMES = 300
MAX_WALKED_PIXELS = 300_000_000

#: Frames of a video handed on.
MAX_VIDEO_FRAMES = 16
#: Seconds of sound or video.
MAX_SECONDS = 4 * 3600
#: Sound as it is handed on, in samples a second, and a chunk of it.
SAMPLE_RATE = 16_000
CHUNK_SAMPLES = 30 * SAMPLE_RATE

#: Bytes that decoding may take beyond what an idle child has.
MEMORY = 1024 * 1024 * 1024
#: An idle child that holds more than this beyond what it began with is replaced.
KEPT_MEMORY = 128 * 1024 * 1024
#: Requests after which a child is replaced all the same.
MAX_REQUESTS = 500


@dataclass(frozen=True, slots=True)
class Bounds:
    """The size that an image is scaled down to, in pixels: `long` on the longer side.

    More, up to `LONG_SIDE`, where the shorter side would come to less than `short`.
    """

    long: int = LONG_SIDE
    short: int = 0

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """Return the width and height of an image within the bounds."""
        longer, shorter = max(width, height), min(width, height)
        scale = min(max(self.long / longer, self.short / shorter), LONG_SIDE / longer, 1)
        return max(round(width * scale), 1), max(round(height * scale), 1)


#: For what reads fine detail.
LARGEST = Bounds()


@dataclass(frozen=True, slots=True)
class Time:
    """Seconds for one file: of a processor, and of waiting for the child in all."""

    cpu: int
    wait: float


#: A machine under load gives a child that steps back half a core or less: hence the longer waits.
TIMES = {
    "image": Time(cpu=10, wait=30),
    "sound": Time(cpu=180, wait=600),
    "video": Time(cpu=30, wait=120),
}
