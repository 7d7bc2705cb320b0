"""The footer: the keys that work now, or those of the dialog above it, in one widget.

Textual's footer mounts a widget for each key whenever the focus moves, which takes three quarters of a Tab press.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from textual.app import RenderResult
from textual.binding import ActiveBinding, Binding
from textual.content import Content
from textual.dom import DOMNode
from textual.events import Click, Resize
from textual.screen import Screen
from textual.widget import Widget

from store.text import sanitize
from tui.keymap import UNBOUND

GAP_CELLS: Final = 2
"""Cells between two keys."""

ELLIPSIS: Final = "…"


@dataclass(frozen=True, slots=True)
class KeyHint:
    """One entry of the footer."""

    key: str
    """As it is shown, such as `^s`."""
    description: str
    action: str
    node: DOMNode
    """The node of the binding, where its action runs."""
    enabled: bool

    @property
    def width(self) -> int:
        return Content(self.key).cell_length + 1 + Content(self.description).cell_length

    def draw(self) -> Content:
        if not self.enabled:
            return Content.styled(f"{self.key} {self.description}", "$text-disabled dim")
        return Content.assemble((self.key, "bold $footer-key-foreground"), " ", self.description)


class KeyFooter(Widget):
    """One row of `key description`, grey if `check_action` says None, and absent if it says False.

    If the row is too short, hints are left out from the end of the left part. Hints of the actions in `KEEP` are at the
    right and are left out last.
    """

    ALLOW_SELECT: ClassVar[bool] = False

    KEEP: ClassVar[tuple[str, ...]] = ("help", "quit")
    """Actions without their namespace, the most important last."""

    def __init__(self) -> None:
        super().__init__()
        self.hints: list[KeyHint] = []
        self._places: list[tuple[int, KeyHint]] = []
        self._line = Content("")
        self._waiting = False

    def on_mount(self) -> None:
        self.app.screen_change_signal.subscribe(self, self._screen_changed)
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_updated)

    def on_resize(self, _event: Resize) -> None:
        self._arrange()

    @property
    def text(self) -> str:
        """The row without colours."""
        return self._line.plain

    def render(self) -> RenderResult:
        return self._line

    async def on_click(self, event: Click) -> None:
        event.stop()
        for start, hint in self._places:
            if start <= event.x < start + hint.width:
                await self.app.run_action(hint.action, hint.node)
                return

    def _screen_changed(self, screen: Screen[Any]) -> None:
        # This line stays visible below a dialog, which takes every key.
        if screen.is_modal or screen is self.screen:
            screen.bindings_updated_signal.subscribe(self, self._bindings_updated)
            self._bindings_updated(screen)

    def _bindings_updated(self, screen: Screen[object]) -> None:
        # One key press can publish several times, and only the last state matters.
        if not self._waiting and screen.app.app_focus:
            self._waiting = True
            self.call_later(self._collect)

    def _collect(self) -> None:
        self._waiting = False
        if not self.is_attached:
            return
        hints = self._current_hints()
        if hints != self.hints:
            self.hints = hints
            self._arrange()

    def _current_hints(self) -> list[KeyHint]:
        hints: dict[str, KeyHint] = {}
        for active in (*self._top.active_bindings.values(), *self._priority_bindings()):
            if active.binding.show and active.binding.key != UNBOUND:
                hints.setdefault(active.binding.action, self._hint(active))
        return list(hints.values())

    @property
    def _top(self) -> Screen[Any]:
        """The screen that gets the keys: this one, or a dialog above it."""
        top = self.app.screen
        return top if top.is_modal else self.screen

    def _priority_bindings(self) -> Iterator[ActiveBinding]:
        """Bindings of the application that also work in a dialog. `active_bindings` leaves them out there (8.2.8)."""
        node, bindings = self._top._binding_chain[-1]  # noqa: SLF001 - Textual has no other way to ask
        for _, binding in bindings:
            if binding.priority:
                yield ActiveBinding(node, binding, True, binding.tooltip)

    def _hint(self, active: ActiveBinding) -> KeyHint:
        binding = active.binding
        return KeyHint(
            sanitize(self._key_to_show(binding)),
            sanitize(binding.description),
            binding.action,
            active.node,
            active.enabled,
        )

    def _key_to_show(self, binding: Binding) -> str:
        """The key to show. Not the `key_display` if the focused widget takes that key as a letter."""
        focused = self._top.focused
        if focused is not None and any(
            len(key) == 1 and focused.check_consume_key(key, key) for key in (binding.key_display or "").split()
        ):
            binding = replace(binding, key_display=None)
        return self.app.get_key_display(binding)

    def _arrange(self) -> None:
        self._places = arrange(self.hints, self.KEEP, self.content_size.width)
        line = Content("")
        for start, hint in self._places:
            line = Content.assemble(line, " " * (start - line.cell_length), hint.draw())
        hidden = len(self.hints) - len(self._places)
        if hidden and self._places:
            line = self._mark_hidden(line)
        if not self._line.is_same(line):
            self._line = line
            self.refresh()

    def _mark_hidden(self, line: Content) -> Content:
        ends = [start + hint.width for start, hint in self._places if _bare(hint.action) not in self.KEEP]
        spot = max(ends, default=-1) + 1
        if line.plain[spot : spot + 1] != " ":
            return line
        return Content.assemble(line[:spot], (ELLIPSIS, "$text-disabled"), line[spot + 1 :])


def arrange(hints: list[KeyHint], keep: tuple[str, ...], width: int) -> list[tuple[int, KeyHint]]:
    """Each hint that fits, with its start in cells from the left, in reading order."""
    right: list[KeyHint] = []
    room = width
    kept = [hint for hint in hints if _bare(hint.action) in keep]
    for hint in sorted(kept, key=lambda hint: -keep.index(_bare(hint.action))):
        if hint.width <= room:
            right.insert(0, hint)
            room -= hint.width + GAP_CELLS
    placed: list[tuple[int, KeyHint]] = []
    start = 0
    left = [hint for hint in hints if _bare(hint.action) not in keep]
    for hint in left:
        if start + hint.width > room:
            break
        placed.append((start, hint))
        start += hint.width + GAP_CELLS
    start = width - sum(hint.width + GAP_CELLS for hint in right) + GAP_CELLS
    for hint in right:
        placed.append((start, hint))
        start += hint.width + GAP_CELLS
    return placed


def _bare(action: str) -> str:
    return action.partition("(")[0].rpartition(".")[2]
