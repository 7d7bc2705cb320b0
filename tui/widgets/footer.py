"""The footer: the keys that work now, or those of the dialog above it, in one widget.

Textual's footer mounts a widget for each key whenever the focus moves, which takes three quarters of a Tab press.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar, Final, Protocol, runtime_checkable

from textual.app import RenderResult
from textual.binding import ActiveBinding, Binding
from textual.content import Content
from textual.events import Click, Resize
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Button, Input

from store.text import sanitize
from tui.keymap import UNBOUND
from tui.widgets.action_button import ActionButton
from tui.widgets.key_hints import KEEP, KeyHint, arrange, bare, by_priority, joined

ELLIPSIS: Final = "…"
LIST_MOVES: Final = ("cursor_up", "cursor_down")
"""The actions of Textual's lists and tables that move the cursor. Their bindings have no name to show."""
MOVE: Final = "Move"
MAX_LABEL_CELLS: Final = 18
"""Cells of a button's label in the row. A longer one is `Press`."""


@runtime_checkable
class SaysKeyWords(Protocol):
    """A page or dialog whose keys do one thing or another, as for the row under the cursor."""

    def key_words(self, action: str) -> str:
        """The words for an action as it is now; empty for those of its binding."""
        ...


class KeyFooter(Widget):
    """One row of `key description`, grey if `check_action` says None, and absent if it says False.

    The most important hints come first, see `key_hints.PRIORITY`. If the row is too short, hints are left out from the
    end of the left part. Hints of the actions in `KEEP` are at the right and are left out last.
    """

    ALLOW_SELECT: ClassVar[bool] = False

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
        await self.press_at(event.screen_x)

    async def press_at(self, column: int) -> None:
        """Run the action of the hint at `column` of the screen, if there is one."""
        at = column - self.content_region.x
        for start, hint in self._places:
            if start <= at < start + hint.width:
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
        """The hints of the keys that work now, the most important first."""
        hints: dict[str, list[ActiveBinding]] = {}
        for active in (*self._top.active_bindings.values(), *self._priority_bindings()):
            binding = active.binding
            if binding.key == UNBOUND:
                continue
            if binding.group is not None:
                hints.setdefault(binding.group.description, []).append(active)
            elif binding.show:
                hints.setdefault(binding.action, []).append(active)
            elif binding.action in LIST_MOVES and not binding.id:
                hints.setdefault(MOVE, []).append(active)
            elif binding.action == "submit" and isinstance(active.node, Input) and self._enter_words:
                hints.setdefault("submit", []).append(active)
        return by_priority([self._hint(actives) for actives in hints.values()])

    @property
    def _top(self) -> Screen[Any]:
        """The screen that gets the keys: this one, or a dialog above it."""
        top = self.app.screen
        return top if top.is_modal else self.screen

    @property
    def _enter_words(self) -> str:
        """The effect of Enter in a field: `ENTER_WORDS` of the screen, or the label of the button it presses."""
        words: str = getattr(self._top, "ENTER_WORDS", "")
        return words or self._button_words("enter")

    def _button_words(self, shortcut: str) -> str:
        """The label of the dialog's button with `shortcut`, or ""."""
        buttons = self._top.query(ActionButton) if self._top.is_modal else ()
        return next((_label(button) for button in buttons if button.shortcut == shortcut), "")

    def _priority_bindings(self) -> Iterator[ActiveBinding]:
        """Bindings of the application that also work in a dialog. `active_bindings` leaves them out there (8.2.8)."""
        node, bindings = self._top._binding_chain[-1]  # noqa: SLF001 - Textual has no other way to ask
        for _, binding in bindings:
            if binding.priority and (state := self.app._check_action_state(binding.action, node)) is not False:  # noqa: SLF001
                yield ActiveBinding(node, binding, bool(state), binding.tooltip)

    def _hint(self, actives: list[ActiveBinding]) -> KeyHint:
        """One hint for bindings with the same action, or of the same group: for each action the first key."""
        first = actives[0]
        by_action: dict[str, Binding] = {}
        for active in actives:
            by_action.setdefault(active.binding.action, active.binding)
        # A list moves by the arrows, and the rows around it leave their letters: one pair of keys is enough.
        arrows = {action: binding for action, binding in by_action.items() if binding.key in ("up", "down")}
        by_action = arrows if len(arrows) > 1 else by_action
        return KeyHint(
            key=joined([sanitize(self._key_to_show(binding)) for binding in by_action.values()]),
            description=sanitize(self._description(first)),
            action=first.binding.action,
            node=first.node,
            enabled=first.enabled,
            name=first.binding.id or "",
            presses=tuple((binding.key, binding.action) for binding in by_action.values()),
        )

    def _description(self, active: ActiveBinding) -> str:
        binding, node = active.binding, active.node
        if binding.group is not None:
            return binding.group.description
        if binding.action in LIST_MOVES:
            return MOVE
        if binding.action == "submit" and not binding.id:
            return self._enter_words
        if binding.action == "cancel":
            return self._button_words("esc") or binding.description
        if isinstance(node, Button):
            return _label(node)
        words = node.key_words(binding.action) if isinstance(node, SaysKeyWords) else ""
        return words or binding.description

    def _key_to_show(self, binding: Binding) -> str:
        """The key to show. Not the `key_display` if the focused widget takes that key as a letter."""
        focused = self._top.focused
        if focused is not None and any(
            len(key) == 1 and focused.check_consume_key(key, key) for key in (binding.key_display or "").split()
        ):
            binding = replace(binding, key_display=None)
        return self.app.get_key_display(binding)

    def _arrange(self) -> None:
        self._places = arrange(self.hints, self.content_size.width)
        line = Content("")
        for start, hint in self._places:
            line = Content.assemble(
                line, " " * (start - line.cell_length), hint.draw(is_dim=self.app.native_ansi_color)
            )
        hidden = len(self.hints) - len(self._places)
        if hidden and self._places:
            line = self._mark_hidden(line)
        if not self._line.is_same(line):
            self._line = line
            self.refresh()

    def _mark_hidden(self, line: Content) -> Content:
        ends = [start + hint.width for start, hint in self._places if bare(hint.action) not in KEEP]
        spot = max(ends, default=-1) + 1
        if line.plain[spot : spot + 2] != "  ":
            return line
        return Content.assemble(line[:spot], (ELLIPSIS, "$text-disabled"), line[spot + 1 :])


def _label(button: Button) -> str:
    label = Content(str(button.label))
    return label.plain if label.cell_length <= MAX_LABEL_CELLS else "Press"
