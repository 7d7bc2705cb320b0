"""The hints of the footer: their order, their places, and how keys are written."""

from typing import Final, NamedTuple

from textual.content import Content
from textual.dom import DOMNode

GAP_CELLS: Final = 2
"""Cells between two hints."""

KEEP: Final = ("command_palette", "help", "quit")
"""Actions at the right end, without their namespace, the most important last."""

_BEFORE: Final = ("tab.save", "tab.discard")
_AFTER: Final = (
    "toggle.switch",
    "button.press",
    "",
    "tabs.open",
    "modal.cancel",
    "palette.close",
    "wizard.cancel",
    "tab.leave-field",
    "sidebar.close",
    "table.refresh",
    "rows.up",
    "table.up",
    "sidebar.up",
    "palette.up",
    "tab.account-binding",
    "console.sidebar",
    "console.checks",
)
PRIORITY: Final = {
    **{name: index - len(_BEFORE) for index, name in enumerate(_BEFORE)},
    **{name: index + 1 for index, name in enumerate(_AFTER)},
}
"""The place of a binding by its id. The keys of a page or a dialog itself have the place 0, in their own order."""


class KeyHint(NamedTuple):
    """One entry of the footer: one action, or several that belong together."""

    key: str
    """As it is shown, such as `^s` or `1-6`."""
    description: str
    action: str
    """The action of the first key."""
    node: DOMNode
    """The node of the binding, where its action runs."""
    enabled: bool
    name: str
    """The id of the first binding."""
    presses: tuple[tuple[str, str], ...]
    """The keys, as Textual names them, with their actions."""

    @property
    def width(self) -> int:
        return Content(self.key).cell_length + 1 + Content(self.description).cell_length

    def draw(self, *, is_dim: bool = False) -> Content:
        """`is_dim` for a terminal whose colours are not ours."""
        if not self.enabled:
            style = "$text-disabled dim" if is_dim else "$text-disabled"
            return Content.styled(f"{self.key} {self.description}", style)
        return Content.assemble((self.key, "bold $footer-key-foreground"), " ", self.description)


def by_priority(hints: list[KeyHint]) -> list[KeyHint]:
    """The hints, the most important first. Hints of the same importance stay in their order."""
    return sorted(hints, key=lambda hint: PRIORITY.get(hint.name, 0))


def joined(keys: list[str]) -> str:
    """Several keys as one text: `1-6` for a series, `↑↓` for signs, and otherwise all of them."""
    if len(keys) > 2 and all(len(key) == 1 for key in keys):
        codes = [ord(key) for key in keys]
        if keys[0].isalnum() and codes == list(range(codes[0], codes[0] + len(codes))):
            return f"{keys[0]}-{keys[-1]}"
    if all(len(key) == 1 and not key.isalnum() for key in keys):
        return "".join(keys)
    return " ".join(keys)


def arrange(hints: list[KeyHint], width: int) -> list[tuple[int, KeyHint]]:
    """Each hint that fits, with its start in cells from the left, in reading order."""
    right: list[KeyHint] = []
    room = width
    kept = [hint for hint in hints if bare(hint.action) in KEEP]
    for hint in sorted(kept, key=lambda hint: -KEEP.index(bare(hint.action))):
        if hint.width <= room:
            right.insert(0, hint)
            room -= hint.width + GAP_CELLS
    placed: list[tuple[int, KeyHint]] = []
    start = 0
    for hint in hints:
        if bare(hint.action) in KEEP:
            continue
        if start + hint.width > room:
            break
        placed.append((start, hint))
        start += hint.width + GAP_CELLS
    start = width - sum(hint.width + GAP_CELLS for hint in right) + GAP_CELLS
    for hint in right:
        placed.append((start, hint))
        start += hint.width + GAP_CELLS
    return placed


def bare(action: str) -> str:
    """The name of an action without its namespace and its parameters."""
    return action.partition("(")[0].rpartition(".")[2]
