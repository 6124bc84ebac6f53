"""Which of the examples that are images go to a provider with the image to judge.

Each category shows as many as the others, as far as it has them: one that shows more would draw
answers. So a task's examples are bounded by their number, their bytes and the model's context all
at once, by the number that each category may show; where not even one each fits, none is shown. Nor
is one where the wire would not tell which picture is an example and of what.
"""

from dataclasses import dataclass

from app.engines.contract import InputType, Task
from app.engines.remote.media import Part, part_of, places, reaches

#: Of all categories of a task together. Beyond 20 images a request, Anthropic allows smaller ones
#: only: https://docs.anthropic.com/en/docs/build-with-claude/vision.
MAX_IMAGES = 19
#: With the third that base64 adds, and the image to judge, within Gemini's 20 MB of a request:
#: https://ai.google.dev/gemini-api/docs/image-understanding.
MAX_BYTES = 8_000_000
#: What an image is taken for: the most that it is to Anthropic, which counts w · h / 750.
TOKENS = 1_600


@dataclass(frozen=True, slots=True)
class Examples:
    """Images to compare with, each with its category's name; `is_whole` tells whether all are."""

    shown: tuple[tuple[str, Part], ...] = ()
    is_whole: bool = True

    @property
    def tokens(self) -> int:
        """The room that they are taken to need."""
        return len(self.shown) * TOKENS


def examples_of(task: Task, *, room: int, provider: str) -> Examples:
    """Read what is shown of a task's examples, in at most half of `room` tokens. Blocking."""
    able = [
        (category.name, [media for media in category.media if reaches(media, provider)])
        for category in task.categories or ()
        if places(provider)
    ]
    for each in range(max((len(media) for _, media in able), default=0), 0, -1):
        chosen = [(name, one) for name, media in able for one in media[:each]]
        if len(chosen) > min(MAX_IMAGES, room // 2 // TOKENS):
            continue
        if sum(media.path.stat().st_size for _, media in chosen) <= MAX_BYTES:
            break
    else:
        chosen = []
    return Examples(
        tuple((name, part_of(media, InputType.IMAGE, provider=provider)) for name, media in chosen),
        is_whole=len(chosen) == sum(len(category.media) for category in task.categories or ()),
    )
