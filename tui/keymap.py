"""What a person chose in keys.toml: own keys, theme, time zone, mouse, idle lock and animations."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

UNBOUND: Final = "unbound"
"""A key that does not exist, for an action without a key. The file says `none`."""

CONFIG_NAME: Final = "keys.toml"

Animations = Literal["none", "basic", "full"]


class ConsoleConfig(NamedTuple):
    """The content of the file, with defaults for what it does not contain."""

    keys: Mapping[str, str] = MappingProxyType({})
    """Comma-separated keys by binding id, for `App.set_keymap`."""

    theme: str | None = None
    """One of `THEME_NAMES`; None means the default for the terminal."""

    idle_lock_minutes: int = 5
    """Minutes without a key press until the console locks."""

    animations: Animations = "none"

    mouse: bool = True

    timezone: str | None = None
    """A name of the IANA database; None means TZ, or else UTC."""

    faults: tuple[str, ...] = ()
    """A sentence with the line number for each entry that is wrong. All other entries are in effect."""
