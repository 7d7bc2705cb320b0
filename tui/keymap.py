"""The person's own settings of the console, in one small TOML file: keys, theme, lock, animations.

[keys]
"tab.save" = "ctrl+s,f9"      # an id from the help page, and the keys that should do it
"app.sidebar" = "none"        # no key at all

[console]
theme = "gatekey-light"
idle_lock_minutes = 10
animations = "none"
"""

import difflib
import re
import tomllib
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, cast, get_args

from store.errors import InvalidSetting
from store.text import plain
from tui.themes import THEME_NAMES

UNBOUND: Final = "unbound"
"""A key no keyboard has: an action bound to it has no key. In the file it is written `none`."""

CONFIG_NAME: Final = "keys.toml"

IDLE_LOCK_MINUTES: Final = range(1, 61)
"""The choice for `idle_lock_minutes`."""

Animations = Literal["none", "basic", "full"]

_MODIFIED_KEY: Final = re.compile(r"(?:(?:ctrl|shift|alt|super|hyper|meta)\+)*(?P<key>\S|\w+)")


@dataclass(frozen=True, slots=True)
class ConsoleConfig:
    """What the file says; what it does not say is as Gatekey would choose."""

    keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Binding id to comma-separated keys: ready for `App.set_keymap`."""

    theme: str | None = None
    """One of `THEME_NAMES`, or None for the one that suits the terminal."""

    idle_lock_minutes: int = 5
    """Minutes without a key press until the console locks."""

    animations: Animations = "none"


def config_path() -> Path:
    """Where the file lives on this system, whether or not it exists."""
    from platformdirs import user_config_path

    return user_config_path("gatekey") / CONFIG_NAME


def load_config(path: Path, known_ids: Collection[str] | None = None) -> ConsoleConfig:
    """Reads `path`; a file that does not exist says nothing.

    `known_ids` are the ids a binding can have; without them ids are not checked. Raises InvalidSetting with one
    sentence that names the file and the entry at fault.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ConsoleConfig()
    except tomllib.TOMLDecodeError as error:
        raise _fault(path, f"is not valid TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise _fault(path, "is not UTF-8 text") from error
    except OSError as error:
        raise _fault(path, "could not be read") from error
    for name, table in document.items():
        _check_name(path, name, ("keys", "console"), "table")
        if not isinstance(table, dict):
            raise _fault(path, f"{name} must be a table: [{name}]")
    console = document.get("console", {})
    for name in console:
        _check_name(path, name, ("theme", "idle_lock_minutes", "animations"), "setting")
    defaults = ConsoleConfig()
    return ConsoleConfig(
        keys=MappingProxyType(_keys(path, document.get("keys", {}), known_ids)),
        theme=_theme(path, console.get("theme", defaults.theme)),
        idle_lock_minutes=_idle_lock(path, console.get("idle_lock_minutes", defaults.idle_lock_minutes)),
        animations=_animations(path, console.get("animations", defaults.animations)),
    )


def _theme(path: Path, value: object) -> str | None:
    if value is not None and value not in THEME_NAMES:
        raise _fault(path, f"theme must be one of {', '.join(THEME_NAMES)}")
    return value


def _idle_lock(path: Path, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in IDLE_LOCK_MINUTES:
        raise _fault(path, "idle_lock_minutes must be a whole number from 1 to 60")
    return value


def _animations(path: Path, value: object) -> Animations:
    choices = get_args(Animations)
    if value not in choices:
        raise _fault(path, f"animations must be one of {', '.join(choices)}")
    return cast("Animations", value)


def _keys(path: Path, table: Mapping[str, Any], known_ids: Collection[str] | None) -> dict[str, str]:
    for name, keys in table.items():
        if isinstance(keys, dict):
            raise _fault(path, f'[keys] {name}: put the whole id in quotes, such as "{name}.{next(iter(keys), "")}"')
        if known_ids is not None:
            _check_name(path, name, known_ids, "key id")
        if not isinstance(keys, str):
            raise _fault(path, f'{name} must be keys in quotes, such as "ctrl+s,f9"')
    return {name: _checked_keys(path, name, keys) for name, keys in table.items()}


def _checked_keys(path: Path, name: str, keys: str) -> str:
    if keys.strip() == "none":
        return UNBOUND
    parts = [part.strip() for part in keys.split(",")]
    for part in parts:
        match = _MODIFIED_KEY.fullmatch(part)
        if match is None or not _is_key(match["key"]):
            raise _fault(path, f"{name}: {part!r} is not a key{_suggestion(part.lower(), _key_names())}")
    return ",".join(parts)


def _is_key(key: str) -> bool:
    if len(key) == 1 or key in _key_names():
        return True
    try:
        return bool(unicodedata.lookup(key.replace("_", " ")))
    except KeyError:
        return False


def _key_names() -> set[str]:
    from textual.keys import KEY_NAME_REPLACEMENTS, Keys

    named = {key.value for key in Keys if not key.value.startswith("<")}
    return named | set(KEY_NAME_REPLACEMENTS.values())


def _check_name(path: Path, name: str, known: Collection[str], kind: str) -> None:
    if name not in known:
        raise _fault(path, f"{name!r} is not a {kind}{_suggestion(name, known)}")


def _suggestion(word: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(word, sorted(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _fault(path: Path, what: str) -> InvalidSetting:
    sentence = plain(f"{path}: {what}", 400)
    return InvalidSetting(sentence if sentence.endswith("?") else f"{sentence}.")
