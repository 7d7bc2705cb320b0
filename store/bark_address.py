"""Parser of Bark addresses: a server, a device key, and options for the push.

Source: github.com/Finb/Bark, docs/tutorial.md and docs/params.md. The app shows addresses such as
`https://api.day.app/KEY/title/body?group=money&level=timeSensitive&sound=alarm`.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from store import inputs
from store.errors import InvalidUrl
from store.text import is_sanitized

LEVELS: Final = ("active", "timeSensitive", "passive", "critical")
OPTIONS: Final = ("group", "level", "sound", "volume", "icon", "isArchive", "badge", "call")
"""The allowed query parameters. Bark has more, but those would change the text of the message."""
_DEVICE_KEY: Final = re.compile(r"[A-Za-z0-9_-]{4,100}")
_TYPICAL_KEY: Final = re.compile(r"(?=.*[0-9])(?=.*[A-Z])(?=.*[a-z])[A-Za-z0-9]{20,24}")
"""A key as Bark servers generate it (22 letters and digits), unlike the path before it and the title after it."""
_EXAMPLE: Final = "Enter the address with the device key, such as https://api.day.app/KEY."


@dataclass(frozen=True, slots=True, repr=False)
class BarkAddress:
    """A parsed Bark address. The device key is a secret."""

    server: str
    """The URL of the server, without a final slash."""
    device_key: str
    options: tuple[tuple[str, str], ...] = ()


def parse_bark_url(url: str, field: str = "bark_url") -> BarkAddress:
    """The parsed address, without the title and body that the app may append.

    Raises:
        InvalidUrl: with a sentence about the first part at fault.
    """
    inputs.check_url(url, field=field)
    parts = urlsplit(url)
    path = [part for part in parts.path.split("/") if part]
    found = next((index for index, part in enumerate(path) if _TYPICAL_KEY.fullmatch(part)), None)
    index = found if found is not None else _index_of_short_key(path, field)
    server = urlunsplit((parts.scheme, parts.netloc, "/".join(path[:index]), "", "")).rstrip("/")
    return BarkAddress(server, path[index], _options(parts.query, field))


def _index_of_short_key(path: list[str], field: str) -> int:
    """Raises `InvalidUrl` unless the last part of the path can be a device key."""
    if not path or path[-1] == "push" or not _DEVICE_KEY.fullmatch(path[-1]):
        raise InvalidUrl(_EXAMPLE, field=field)
    return len(path) - 1


def _options(query: str, field: str) -> tuple[tuple[str, str], ...]:
    pairs = parse_qsl(query, keep_blank_values=True)
    for name, value in pairs:
        if name not in OPTIONS:
            raise InvalidUrl(inputs.did_you_mean(name, OPTIONS).replace("setting", "option"), field=field)
        if not is_sanitized(value) or not 0 < len(value) <= 200:
            raise InvalidUrl(f"The value of {name} cannot be used.", field=field)
        if name == "level" and value not in LEVELS:
            raise InvalidUrl("The level is one of " + ", ".join(LEVELS) + ".", field=field)
    if len({name for name, _ in pairs}) < len(pairs):
        raise InvalidUrl("An option stands in the address twice.", field=field)
    return tuple(pairs)
