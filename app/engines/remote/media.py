"""An image, a recording or a video as a part of a message, made of bytes that we have.

The forms are those that LiteLLM turns into each provider's own:
https://docs.litellm.ai/docs/completion/vision, …/audio and …/document_understanding. A provider is
never handed an address to fetch.
"""

import base64
from typing import Any

from app.engines.contract import Basis, InputType, Media

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


def part_of(media: Media, input_type: InputType, *, provider: str) -> Part:
    """Read a file and return the part of a message that holds it. Blocking."""
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
