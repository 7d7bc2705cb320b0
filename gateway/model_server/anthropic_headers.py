"""The headers of requests in Anthropic's form."""

from typing import Final

ANTHROPIC_VERSION: Final = b"2023-06-01"
"""The version whose form the gateway reads."""
_ANTHROPIC_KEY_PREFIX: Final = "sk-ant-"


def with_anthropic_headers(headers: list[tuple[bytes, bytes]], key: str) -> list[tuple[bytes, bytes]]:
    """`headers` with the version, and with the model server's `key` as `x-api-key`.

    Other servers of this form read the bearer alone, so it is kept. Anthropic takes a bearer for a token of another
    kind, so it is left out beside one of Anthropic's own keys.
    """
    is_anthropics = key.startswith(_ANTHROPIC_KEY_PREFIX)
    kept = [(name, value) for name, value in headers if not (is_anthropics and name == b"Authorization")]
    key_header = [(b"x-api-key", key.encode())] if key else []
    return [*kept, (b"anthropic-version", ANTHROPIC_VERSION), *key_header]
