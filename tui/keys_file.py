"""The file keys.toml: a person's own keys, theme, time zone, mouse, idle lock and animations.

[keys]
"tab.save" = "ctrl+s,f9"      # an id from the help page, and the keys that should do it
"console.sidebar" = "none"    # no key at all

[console]
theme = "gatekey-light"
idle_lock_minutes = 10
animations = "none"
mouse = false                 # the terminal selects text by itself
timezone = "Europe/Berlin"
"""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar, cast, get_args

from store.text import sanitize
from tui.key_ids import ACTIONS, clash
from tui.key_names import NotAKeyError, did_you_mean, one_key
from tui.keymap import UNBOUND, Animations, ConsoleConfig
from tui.themes import THEME_NAMES
from tui.toml_lines import lines_of
from tui.zones import NotAZoneError, zone_named

IDLE_LOCK_MINUTES: Final = range(1, 61)
"""The allowed values of `idle_lock_minutes`."""

_TABLES: Final = ("keys", "console")
_SETTINGS: Final = ("theme", "idle_lock_minutes", "animations", "mouse", "timezone")

T = TypeVar("T")


def read_config(path: Path) -> ConsoleConfig:
    """Read `path`, as `tui.config_location.load_config` says."""
    try:
        # Windows' editors begin a file with a byte order mark.
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ConsoleConfig()
    except UnicodeDecodeError:
        return ConsoleConfig(faults=(_fault(0, "The file is not UTF-8 text"),))
    except OSError:
        return ConsoleConfig(faults=(_fault(0, "The file could not be read"),))
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return ConsoleConfig(faults=(_fault(0, f"The file is not valid TOML: {error}"),))
    return _Reader(text).config(document)


class _Reader:
    """Reads a document; collects wrong entries with their lines."""

    def __init__(self, text: str) -> None:
        self._lines = lines_of(text)
        self._faults: list[tuple[int, str]] = []

    def config(self, document: Mapping[str, object]) -> ConsoleConfig:
        tables: dict[str, Mapping[str, object]] = {}
        for name, table in document.items():
            if name not in _TABLES:
                self._note(name, "", f"{name!r} is not a table{did_you_mean(name, _TABLES)}")
            elif isinstance(table, dict):
                tables[name] = table
            else:
                self._note(name, "", f"{name} must be a table: [{name}]")
        console = tables.get("console", {})
        for name in console:
            if name not in _SETTINGS:
                self._note("console", name, f"{name!r} is not a setting{did_you_mean(name, _SETTINGS)}")
        defaults = ConsoleConfig()
        return ConsoleConfig(
            keys=MappingProxyType(self._keys(tables.get("keys", {}))),
            theme=self._setting(console, "theme", _theme, defaults.theme),
            idle_lock_minutes=self._setting(console, "idle_lock_minutes", _idle_lock, defaults.idle_lock_minutes),
            animations=self._setting(console, "animations", _animations, defaults.animations),
            mouse=self._setting(console, "mouse", _mouse, defaults.mouse),
            timezone=self._setting(console, "timezone", _timezone, defaults.timezone),
            faults=tuple(sentence for _, sentence in sorted(self._faults)),
        )

    def _setting(self, table: Mapping[str, object], name: str, check: Callable[[object], T], default: T) -> T:
        if name not in table:
            return default
        try:
            return check(table[name])
        except ValueError as error:
            self._note("console", name, str(error))
            return default

    def _keys(self, table: Mapping[str, object]) -> dict[str, str]:
        read: dict[str, str] = {}
        for name, keys in table.items():
            try:
                read[name] = _checked_keys(name, keys)
            except ValueError as error:
                self._note("keys", name, str(error))
        chosen = {name: _as_bound(keys) for name, keys in read.items()}
        for name in list(read):
            for key in sorted(chosen[name]):
                if other := clash(name, key, chosen):
                    self._note(
                        "keys", name, f"{name}: {key!r} is the key of {other} already. Give that one another key, too"
                    )
                    del read[name], chosen[name]
                    break
        return read

    def _note(self, table: str, name: str, what: str) -> None:
        line = self._lines.get((table, name), 0)
        self._faults.append((line, _fault(line, what)))


def _theme(value: object) -> str:
    if value not in THEME_NAMES:
        hint = did_you_mean(value.lower(), THEME_NAMES) if isinstance(value, str) else ""
        raise ValueError(f"theme must be one of {', '.join(THEME_NAMES)}{hint}")
    return str(value)


def _idle_lock(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in IDLE_LOCK_MINUTES:
        raise ValueError("idle_lock_minutes must be a whole number from 1 to 60")
    return value


def _animations(value: object) -> Animations:
    choices = get_args(Animations)
    if value not in choices:
        raise ValueError(f"animations must be one of {', '.join(choices)}")
    return cast("Animations", value)


def _mouse(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("mouse must be true or false, without quotes")
    return value


def _timezone(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError('timezone must be a name in quotes, such as "Europe/Berlin"')
    try:
        zone_named(value)
    except NotAZoneError as error:
        raise ValueError(f"timezone: {error}") from error
    return value


def _checked_keys(name: str, keys: object) -> str:
    """The keys of one entry in the form of `App.set_keymap`. Raises ValueError."""
    if isinstance(keys, dict):
        raise ValueError(f'[keys] {name}: put the whole id in quotes, such as "{name}.{next(iter(keys), "")}"')
    if name not in ACTIONS:
        raise ValueError(f"{name!r} is not a key id{did_you_mean(name, ACTIONS)}")
    if not isinstance(keys, str):
        raise ValueError(f'{name} must be keys in quotes, such as "ctrl+s,f9"')
    if keys.strip() == "none":
        return UNBOUND
    try:
        return ",".join(one_key(part.strip()) for part in keys.split(","))
    except NotAKeyError as error:
        raise ValueError(f"{name}: {error}") from error


def _as_bound(keys: str) -> frozenset[str]:
    """The keys of one entry, by the names that Textual gives them on arrival."""
    from textual.keys import _normalize_key_list

    return frozenset() if keys == UNBOUND else frozenset(_normalize_key_list(keys).split(","))


def _fault(line: int, what: str) -> str:
    sentence = sanitize(f"line {line}: {what}" if line else what, 400)
    return sentence if sentence.endswith("?") else f"{sentence}."
