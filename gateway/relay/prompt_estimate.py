"""An estimate of the tokens in a prompt, from which the hold is computed."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

BYTES_PER_TOKEN: Final = 3
"""Low on purpose, to hold enough: English has about four bytes per token, Chinese about three."""
TOKENS_PER_PICTURE: Final = 1500
"""Held for each picture in a prompt. The bytes of a picture do not predict its tokens."""
TOKENS_PER_FILE: Final = 5000
"""Held for each recording and each file: enough for eight minutes of speech, or some pages."""
_FILE_MARKERS: Final = (b'"input_audio":', b'"file_data":', b'"source":')
"""A prompt without these has neither recordings nor files. Anthropic's form has pictures in a `source` too."""
_BASE64: Final = re.compile(r"(?:data:(?!text/)[^,]{0,200};base64,)?[A-Za-z0-9+/_\r\n-]+={0,2}")
"""Binary data in base64, with or without a media type."""
_SNIFFED_CHARACTERS: Final = 1000
"""Characters tested to tell base64 from text. The whole value may have millions."""


def estimate_prompt_tokens(content: bytes, body: Mapping[str, Any]) -> int:
    """Tokens of a prompt that is serialized as `content`, rounded up."""
    pictures = content.count(b'"image_url":')
    files = written_out = 0
    if pictures or any(mark in content for mark in _FILE_MARKERS):
        for part in _content_parts(body.get("messages"), body.get("input")):
            file = _file_bytes(part)
            files += file > 0
            written_out += file + _picture_bytes(part) + _source_bytes(part)
            pictures += part.get("type") == "image" and "source" in part
            files += part.get("type") == "document" and "source" in part
    text = -(-(len(content) - written_out) // BYTES_PER_TOKEN)
    return text + TOKENS_PER_PICTURE * pictures + TOKENS_PER_FILE * files


def with_cache_writes(tokens: int, content: bytes) -> int:
    """The `tokens` of a message in Anthropic's form, as many as they count if they are written to the cache.

    `gateway.relay.message_usage` counts a written token as one and a quarter, or as two with a lifetime of one hour.
    """
    if b'"cache_control":' not in content:
        return tokens
    return 2 * tokens if b'"1h"' in content else -(-5 * tokens // 4)


def _content_parts(*items: object) -> Iterator[dict[str, Any]]:
    """The messages, and the parts of their content, also those of a tool's output."""
    rest = list(items)
    while rest:
        item = rest.pop()
        if isinstance(item, list):
            rest += item
        elif isinstance(item, dict):
            yield item
            rest += (inner for name in ("content", "output") if isinstance(inner := item.get(name), list))


def _picture_bytes(part: Mapping[str, Any]) -> int:
    """Bytes of a picture embedded in the message. Any other text there counts as text."""
    picture = part.get("image_url")
    url = picture.get("url") if isinstance(picture, dict) else picture
    return len(url) if isinstance(url, str) and url.startswith("data:image/") else 0


def _file_bytes(part: Mapping[str, Any]) -> int:
    """Bytes of an embedded recording or binary file. A text file counts as text."""
    recording, file = part.get("input_audio"), part.get("file")
    held = (
        recording.get("data") if isinstance(recording, dict) else None,
        file.get("file_data") if isinstance(file, dict) else None,
        part.get("file_data"),
    )
    return sum(map(_base64_bytes, held))


def _source_bytes(part: Mapping[str, Any]) -> int:
    """Bytes of a picture or a document in Anthropic's form. A document of text counts as text."""
    source = part.get("source")
    return _base64_bytes(source.get("data")) if isinstance(source, dict) and source.get("type") == "base64" else 0


def _base64_bytes(data: object) -> int:
    is_base64 = isinstance(data, str) and _BASE64.fullmatch(data[:_SNIFFED_CHARACTERS])
    return len(data) if isinstance(data, str) and is_base64 else 0
