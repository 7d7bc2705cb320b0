"""How many tokens a prompt has, before anyone has counted them: that much is held for it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

BYTES_PER_TOKEN: Final = 3
"""Of a prompt, to hold enough: English has about four, Chinese about three."""
TOKENS_PER_PICTURE: Final = 1500
"""Held for each picture in a prompt, whose bytes say nothing about its tokens."""
TOKENS_PER_FILE: Final = 5000
"""Held for each recording and each file, whose bytes say as little: eight minutes of speech, or some pages."""
_FILE_MARKERS: Final = (b'"input_audio":', b'"file_data":')
"""Without one of these a prompt holds neither."""
_BASE64: Final = re.compile(r"(?:data:(?!text/)[^,]{0,200};base64,)?[A-Za-z0-9+/_\r\n-]+={0,2}")
"""Bytes that are no text, with or without their media type before them."""
_SNIFFED_CHARACTERS: Final = 1000
"""Characters by which bytes are told from words: there may be millions of them."""


def estimate_prompt_tokens(content: bytes, body: Mapping[str, Any]) -> int:
    """How many tokens a prompt has that is written as `content`, rather too many than too few."""
    pictures = content.count(b'"image_url":')
    files = written_out = 0
    if pictures or any(mark in content for mark in _FILE_MARKERS):
        for part in _content_parts(body.get("messages")):
            file = _file_bytes(part)
            files += file > 0
            written_out += file + _picture_bytes(part)
    text = -(-(len(content) - written_out) // BYTES_PER_TOKEN)
    return text + TOKENS_PER_PICTURE * pictures + TOKENS_PER_FILE * files


def _content_parts(messages: object) -> Iterator[dict[str, Any]]:
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, dict) and isinstance(message.get("content"), list):
            yield from (part for part in message["content"] if isinstance(part, dict))


def _picture_bytes(part: Mapping[str, Any]) -> int:
    """Bytes of the picture that stands in the message itself. Any other text there is read as text."""
    picture = part.get("image_url")
    url = picture.get("url") if isinstance(picture, dict) else picture
    return len(url) if isinstance(url, str) and url.startswith("data:image/") else 0


def _file_bytes(part: Mapping[str, Any]) -> int:
    """The same of a recording and of a file. A file of text is read as text too."""
    recording, file = part.get("input_audio"), part.get("file")
    held = (
        recording.get("data") if isinstance(recording, dict) else None,
        file.get("file_data") if isinstance(file, dict) else None,
    )
    return sum(len(data) for data in held if isinstance(data, str) and _BASE64.fullmatch(data[:_SNIFFED_CHARACTERS]))
