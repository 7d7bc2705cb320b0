"""The headers that only some requests to the model server have."""

from collections.abc import Sequence
from typing import Final

VERSION_HEADER: Final = "anthropic-version"
"""A request with this header is one in Anthropic's form."""
_ANTHROPIC_KEY_PREFIX: Final = "sk-ant-"


def with_more_headers(
    headers: list[tuple[bytes, bytes]], more: Sequence[tuple[str, str]], key: str
) -> list[tuple[bytes, bytes]]:
    """`headers` with `more`, each in place of one of its name. A request in Anthropic's form gets the model server's
    `key` as `x-api-key`.

    Other servers of this form read the bearer alone, so it is kept. Anthropic takes a bearer for a token of another
    kind, so it is left out beside one of Anthropic's own keys.
    """
    added = [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in more]
    replaced = {name for name, _ in added}
    if VERSION_HEADER.encode() in replaced and key:
        added.append((b"x-api-key", key.encode()))
        replaced |= {b"authorization"} if key.startswith(_ANTHROPIC_KEY_PREFIX) else set()
    return [*((name, value) for name, value in headers if name.lower() not in replaced), *added]
