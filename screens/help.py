"""Help: the purpose of the page and of the focused field, and the keys that work there."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.keys import key_to_character
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from store.text import sanitize
from tui.keymap import UNBOUND
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.row_walk import is_typing
from tui.widgets.small_screen import SmallScreenGuard

KEY_CELLS: Final = 9
WORDS_CELLS: Final = 30
"""Widths of the columns of keys and of words."""
_LINE_CELLS: Final = 67
"""The longest line."""
_FRAME_CELLS: Final = 13
"""Columns of a narrow screen that the dialog takes beside its lines."""
_GROUPS: Final = {
    "here": "Here",
    "move": "Moving",
    "tabs": "Tabs",
    "everywhere": "Everywhere",
    "typing": "While typing",
}
"""The groups of the keys, in their order, with their headings."""
_GROUPS_BY_PREFIX: Final = {
    "rows": "move",
    "tabs": "move",
    "table": "move",
    "sidebar": "move",
    "app": "everywhere",
    "console": "everywhere",
    "modal": "everywhere",
}


def purpose_of(part: object) -> str:
    """The purpose of a screen, a tab or a page; empty if it tells none."""
    text: str = getattr(part, "purpose", "") or getattr(part, "HELP_TEXT", "")
    return text


class Help(SmallScreenGuard, ModalScreen[None]):
    """Help for the screen below. Arrows scroll; Esc, `?` and F1 close it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,f1,question_mark,q", "dismiss(None)", "Close", id="help.close", tooltip="Back to where you were"
        ),
    ]

    def __init__(self, words: str, keys: list[tuple[str, str, str]]) -> None:
        super().__init__(classes="modal")
        self._words, self._keys = words, keys

    @classmethod
    def about(cls, screen: Screen[object]) -> Help:
        """The help for the focused widget of `screen`."""
        nodes = screen.focused.ancestors_with_self if screen.focused is not None else []
        words = [f"{node.label.strip()}: {node.help}" for node in nodes if isinstance(node, Field) and node.help]
        parts = [screen, *(part for part in screen.query("Pane, ModulePage") if part.is_on_screen)]
        words += [text for part in parts if (text := purpose_of(part))]
        bindings = [active.binding for active in screen.active_bindings.values()]
        if is_typing(screen.focused):
            # An input takes printable keys as text.
            bindings = [binding for binding in bindings if not (key_to_character(binding.key) or "\0").isprintable()]
        keys = [
            (
                sanitize(screen.app.get_key_display(replace(binding, key_display=None))),
                sanitize(binding.tooltip or binding.description),
                binding.id or "",
            )
            for binding in bindings
            if binding.key != UNBOUND and binding.description and not binding.system
        ]
        keys.sort(key=lambda key: list(_GROUPS).index(_group(key[2])))
        return cls("\n\n".join(words) or "The keys that work here:", keys)

    def compose(self) -> ComposeResult:
        with Dialog("Help", id="help-dialog"):
            yield Static(sanitize_paragraphs(self._words), markup=False, classes="dialog-body")
            keys: dict[tuple[str, str], list[str]] = {}
            for key, words, name in self._keys:
                pressed = keys.setdefault((words, name), [])
                if key not in pressed:
                    pressed.append(key)
            cells = min(_LINE_CELLS, self.app.size.width - _FRAME_CELLS)
            for group, heading in _GROUPS.items():
                lines = [
                    _lines(" ".join(pressed), words, name, cells)
                    for (words, name), pressed in keys.items()
                    if _group(name) == group
                ]
                if lines:
                    title = Content.styled(heading, "bold $text-primary")
                    yield Static(Content("\n").join([title, *lines]), classes="spaced")
            yield Static(
                "Keys can be changed in the file keys.toml of the configuration folder, by the names at the right: "
                '[keys] "tab.save" = "f9". Shift with the mouse selects text.',
                classes="muted spaced",
                markup=False,
            )

    def on_mount(self) -> None:
        dialog = self.query_one("#help-dialog", Dialog)
        dialog.can_focus = True
        dialog.focus()


def _group(name: str) -> str:
    """The group of the binding with this id. The keys of a tab and of a dialog itself are `here`."""
    if not name:
        return "typing"
    prefix, _, rest = name.partition(".")
    if prefix == "tab":
        return "here" if rest in ("save", "discard", "refresh", "leave-field") else "tabs"
    return _GROUPS_BY_PREFIX.get(prefix, "here")


def _lines(keys: str, words: str, name: str, cells: int) -> Content:
    """A key and what it does, with its name at the right: on a line of its own where it does not fit."""
    indent = KEY_CELLS + 2
    *before, last = textwrap.wrap(words, max(cells - indent, 1)) or [""]
    padded = f"{last:<{WORDS_CELLS}}  "
    if indent + len(padded) + len(name) > cells:
        before, padded = [*before, last], ""
    margin = "\n" + " " * indent
    return Content.assemble(
        (f"{keys:>{KEY_CELLS}}", "bold $text-accent"),
        "  " + margin.join([*before, padded]),
        (name, "$foreground-muted"),
    )


def sanitize_paragraphs(text: str) -> str:
    """`text` with each paragraph sanitized."""
    return "\n\n".join(sanitize(paragraph) for paragraph in text.split("\n\n"))
