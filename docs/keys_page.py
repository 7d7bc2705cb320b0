"""Writes `docs/keys.md`, the page of all keys: `python docs/keys_page.py`.

The ids, the default keys and the places come from `tui.key_ids`, the words from the bindings. A test compares the file
with the result.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Final

from textual.binding import Binding
from textual.dom import DOMNode

from tui.key_ids import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE: Final = Path(__file__).with_name("keys.md")
_PACKAGES: Final = ("tui", "screens")
_PLACES: Final = {
    "everywhere": "everywhere",
    "page": "every page of the console",
    "rows": "the rows of a page or a dialog",
    "settings": "the Settings page",
    "tabs": "the row of tabs",
    "toggle": "a switch",
    "secret": "a field for a stored secret",
    "module": "a module's page",
    "message": "the message field of the playground",
    "filter": "the filter line of a log",
    "table": "a table",
    "link-list": "a list of the overview",
    "sidebar": "the sidebar",
    "sign-in": "the lock",
    "entry": "the sign-in",
    "passwords": "a form with passwords",
    "modal": "every dialog",
    "list": "the list of sessions",
    "passkey-list": "the list of passkeys",
    "ssh-key-list": "the list of SSH keys",
    "drawer-list": "the drawer",
    "in-drawer": "after saving to the drawer",
    "two-factor": "two-factor authentication",
    "codes": "backup recovery codes",
    "in-browser": "a dialog with the address of a page",
    "shown-once": "a secret that is shown once",
    "conflict": "a save that met a newer version",
    "choice-row": "a choice between two values",
    "use-key": "how to use an API key",
    "option-row": "a choice among a few words",
    "delete": "Delete Account",
    "proof": "the confirmation that it is you",
    "confirm": "a question",
    "choice": "the question about unsaved edits",
    "help": "the help page",
    "palette": "the command palette",
}
"""The words for each place of `tui.key_ids`."""
_INTRODUCTION: Final = """\
# Keys

Every action that has a key, by the id that stands for it in `keys.toml`. This file is generated:
`python docs/keys_page.py`.

| id | keys | where | what it does |
| --- | --- | --- | --- |
"""


def page() -> str:
    """The whole page, in Markdown. Raises KeyError for a place or an id that is not known."""
    tooltips = dict(_tooltips())
    rows = []
    for action in ACTIONS.values():
        keys = " ".join(f"`{key}`" for key in sorted(action.keys, key=lambda key: (len(key), key)))
        rows.append(f"| `{action.id}` | {keys} | {_PLACES[action.place]} | {tooltips[action.id]} |\n")
    return _INTRODUCTION + "".join(rows)


def _tooltips() -> Iterator[tuple[str, str]]:
    """The tooltip of every binding in the code, by its id."""
    for name in _PACKAGES:
        package = import_module(name)
        for module in walk_packages(package.__path__, f"{name}."):
            for value in vars(import_module(module.name)).values():
                if isinstance(value, type) and issubclass(value, DOMNode) and value.__module__ == module.name:
                    for binding in value.__dict__.get("BINDINGS", ()):
                        if isinstance(binding, Binding) and binding.id:
                            yield binding.id, binding.tooltip or binding.description


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
