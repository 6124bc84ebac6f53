"""Text that a tokenizer can take."""

import re

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def encodable(text: str) -> str:
    """Return the text with every lone surrogate replaced: it has no UTF-8 form. Lengths stay."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)
