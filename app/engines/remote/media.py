"""An image, a recording or a video as a part of a message, made of bytes that we have.

The forms are those that LiteLLM turns into each provider's own:
https://docs.litellm.ai/docs/completion/vision, …/audio and …/document_understanding. A provider is
never handed an address to fetch.
"""

import base64
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from app.engines.contract import Basis, InputType, Media
from app.engines.errors import UnreadableMedia

Part = dict[str, Any]

#: What an answer of a provider rests on: what it was given. It does not say what it made use of.
BASIS = {
    InputType.TEXT: (),
    InputType.IMAGE: (Basis.PIXELS,),
    InputType.AUDIO: (Basis.SOUND,),
    InputType.VIDEO: (Basis.FRAMES,),
}
# What `input_audio` takes: https://platform.openai.com/docs/guides/audio.
_AUDIO_FORMATS = {"audio/wav": "wav", "audio/mpeg": "mp3"}
# Their videos are files; everybody else's wire has `video_url`, as vLLM's does.
_VIDEOS_AS_FILES = frozenset(
    {"gemini", "vertex_ai", "vertex_ai_beta", "bedrock", "bedrock_converse", "hosted_vllm"}
)
_IMAGES = ("image/",)
_BEDROCK = ("image/png", "image/jpeg", "image/gif", "image/webp", "video/mp4", "video/webm")
# What LiteLLM hands on to providers with wires of their own, by the beginnings of types. Another
# part it refuses as if the provider were down, or leaves out without a word: an answer would be
# about nothing.
_HANDED_ON: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "anthropic": _IMAGES,
        "bedrock": _BEDROCK,
        "bedrock_converse": _BEDROCK,
        "ollama": _IMAGES,
        "ollama_chat": _IMAGES,
    }
)
# Their wire has the images of a message in a list beside its text.
_WITHOUT_PLACES = frozenset({"ollama", "ollama_chat"})


@cache
def handed_on(provider: str) -> frozenset[InputType]:
    """Return the kinds of content of which something can reach a provider."""
    begins = _HANDED_ON.get(provider)
    if begins is None:
        return frozenset(InputType)
    kinds = {InputType(each.partition("/")[0]) for each in begins}
    return frozenset({InputType.TEXT, *kinds})


def reaches(media: Media, provider: str) -> bool:
    """Tell whether a file of this type can reach a provider."""
    return media.mime.startswith(_HANDED_ON.get(provider, ""))


def places(provider: str) -> bool:
    """Tell whether several images keep their places between the texts of a message."""
    return provider not in _WITHOUT_PLACES


def part_of(media: Media, input_type: InputType, *, provider: str) -> Part:
    """Read a file and return the part of a message that holds it. Blocking.

    Raises:
        UnreadableMedia: It can't reach this provider.
    """
    if not reaches(media, provider):
        raise UnreadableMedia(f"the model takes no {media.mime}")
    data = base64.b64encode(media.path.read_bytes()).decode("ascii")
    url = f"data:{media.mime};base64,{data}"
    if input_type is InputType.IMAGE:
        return {"type": "image_url", "image_url": {"url": url}}
    if input_type is InputType.AUDIO and media.mime in _AUDIO_FORMATS:
        audio = {"data": data, "format": _AUDIO_FORMATS[media.mime]}
        return {"type": "input_audio", "input_audio": audio}
    if input_type is InputType.VIDEO and provider not in _VIDEOS_AS_FILES:
        return {"type": "video_url", "video_url": {"url": url}}
    return {"type": "file", "file": {"file_data": url, "format": media.mime}}
