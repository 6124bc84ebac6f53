"""All that getting media takes, opened and closed with a process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.domain.media.examples import ExampleImages
from app.domain.media.fetching import MediaFetcher, MediaLimits
from app.domain.media.folder import open_folder
from app.engines.contract import InputType
from app.outbound.client import Outbound
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class MediaSources:
    """Gets what tasks are about, and the images among their categories' examples."""

    fetcher: MediaFetcher
    examples: ExampleImages


def limits_of(settings: Settings) -> MediaLimits:
    """Return the limits that are set."""
    return MediaLimits(
        {
            InputType.IMAGE: settings.max_image_bytes,
            InputType.AUDIO: settings.max_audio_bytes,
            InputType.VIDEO: settings.max_video_bytes,
        },
        settings.media_timeout,
    )


@contextmanager
def open_media(settings: Settings, outbound: Outbound) -> Iterator[MediaSources]:
    """Open them for the length of a block, with a folder for what is fetched."""
    with open_folder() as folder:
        fetcher = MediaFetcher(outbound, folder, limits_of(settings))
        yield MediaSources(fetcher, ExampleImages(fetcher))
