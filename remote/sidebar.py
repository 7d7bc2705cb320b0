"""The sidebar that the server keeps, as the modules of the console: read, and changed in place.

The server stores a JSON text with a switch for each section and each module. A missing switch counts as on. Sections
and modules that the console does not have stay as they are.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from remote.fields import Fields, parse_object
from remote.generations import ServerFacts

PLACES: Final[Mapping[str, tuple[str, str]]] = {
    "playground": ("chat", "playground"),
    "overview": ("console", "detail"),
    "api-keys": ("console", "token"),
    "usage-logs": ("console", "log"),
    "drawing-logs": ("console", "midjourney"),
    "task-logs": ("console", "task"),
    "wallet": ("personal", "topup"),
    "settings": ("personal", "personal"),
}
"""For each module of the console, its section and its name in the server's text."""
_ENABLED: Final = "enabled"
_MODULES_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "chat": ("playground", "chat"),
    "console": ("detail", "token", "log", "midjourney", "task"),
    "personal": ("topup", "personal"),
}
"""The modules of the server in each section, also one that the console does not have."""


def hidden_modules(text: str) -> frozenset[str]:
    """The modules that the account left out."""
    return _off(parse_object(text))


def locked_modules(facts: ServerFacts) -> frozenset[str]:
    """The modules that the administrator left out, or that the server does not offer."""
    missing = {
        "drawing-logs": facts.has_drawing_log,
        "task-logs": facts.has_task_log,
        "overview": facts.has_statistics,
    }
    return _off(facts.admin_sidebar) | {module for module, is_there in missing.items() if not is_there}


def with_hidden(text: str, hidden: frozenset[str]) -> str:
    """`text` with exactly `hidden` left out of the modules of the console, and everything else as it was."""
    sections: dict[str, Any] = {
        name: dict(section) if isinstance(section, dict) else section
        for name, section in parse_object(text).members.items()
    }
    before = hidden_modules(text)
    for module, (section, name) in PLACES.items():
        if (module in hidden) == (module in before) and section in sections:
            continue
        switches = sections.get(section)
        if not isinstance(switches, dict):
            switches = sections[section] = {_ENABLED: True} | dict.fromkeys(_MODULES_OF[section], True)
        if module not in hidden and switches.get(_ENABLED) is False:
            # The section is switched on for this module; the others in it were hidden, and stay so.
            switches |= dict.fromkeys(_MODULES_OF[section], False) | {_ENABLED: True}
        switches[name] = module not in hidden
    return json.dumps(sections, ensure_ascii=False, separators=(",", ":"), default=float)


def _off(sections: Fields) -> frozenset[str]:
    return frozenset(
        module
        for module, (section, name) in PLACES.items()
        if not (
            sections.object(section).flag(_ENABLED, default=True) and sections.object(section).flag(name, default=True)
        )
    )
