"""The six digits of an authenticator code, each in a cell of its own, and the time until the next code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.segment import Segment
from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from store.values.two_factor import CODE_DIGITS, CODE_SECONDS
from tui.widgets.secret_input import MAX_CODE_CHARS, SEPARATORS, CodeInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from textual.timer import Timer

_GROUP: Final = 3
"""Digits of a group. Authenticator apps show two groups."""
_STARTS: Final = tuple(digit * 4 + (digit >= _GROUP) for digit in range(CODE_DIGITS))
"""Columns where the cells begin. A cell is three wide; one column separates cells, and two the groups."""
_CELL: Final = 3
_CODE: Final = re.compile(rf"\d{{0,{_GROUP}}}[ \-]?\d{{0,{_GROUP}}}")
_BAR_CELLS: Final = 10


class CodeCells(CodeInput):
    """Draws itself as ` 4  0  7   1  _  _ `, and submits itself once the last digit is there.

    With `backup_codes`, a text that cannot be the digits of an authenticator turns it into a plain field, in which a
    backup code is typed. The value of six cells has no separators: `123 456` is pasted as `123456`.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"code-cells--digit", "code-cells--current"}

    def __init__(self, *, backup_codes: bool = False, **options: Any) -> None:
        """`options` are those of `CodeInput`."""
        super().__init__(**options)
        self.cursor_blink = False
        self._takes_backup_codes = backup_codes
        if not backup_codes:
            self.restrict = r"[0-9 \-]*"

    @property
    def is_plain(self) -> bool:
        """True if it is drawn as a plain field, because its text is no authenticator code."""
        return _CODE.fullmatch(self.value) is None

    @property
    def is_complete(self) -> bool:
        """True if all six digits are there, or perhaps a backup code."""
        return self.is_plain or len(self.value) == CODE_DIGITS

    def validate_value(self, value: str) -> str:
        """Six cells hold digits only."""
        if self._takes_backup_codes and _CODE.fullmatch(value.strip()) is None:
            return value
        digits = SEPARATORS.sub("", value)
        # A text that is set from outside can hold more than a paste, which is refused then.
        return digits if self._takes_backup_codes else digits[:CODE_DIGITS]

    def watch_value(self, before: str, after: str) -> None:
        self.set_class(self.is_plain, "-plain")
        if len(after) == CODE_DIGITS and not self.is_plain and before != after:
            self.post_message(self.Submitted(self, after))

    async def action_submit(self) -> None:
        """Submit the code. An incomplete one only sounds the bell, because it would count as a wrong attempt."""
        if self.is_complete:
            await super().action_submit()
        else:
            self.app.bell()

    def replace(self, text: str, start: int, end: int) -> None:
        whole = f"{self.value[:start]}{text}{self.value[end:]}"
        if not self._takes_backup_codes and len(SEPARATORS.sub("", whole)) > CODE_DIGITS:
            self.app.bell()
            return
        super().replace(text, start, end)

    # -- drawing ---------------------------------------------------------------------------------------------

    @property
    def content_width(self) -> int:
        return min(MAX_CODE_CHARS, super().content_width) if self.is_plain else _STARTS[-1] + _CELL

    @property
    def _cursor_offset(self) -> int:
        return super()._cursor_offset if self.is_plain else _STARTS[self._current] + 1

    @property
    def _current(self) -> int:
        """The number of the cell with the cursor."""
        return min(self.cursor_position, CODE_DIGITS - 1)

    def _cell_offset_to_index(self, offset: int) -> int:
        if self.is_plain:
            return super()._cell_offset_to_index(offset)
        cell = sum(start <= offset for start in _STARTS) - 1
        return min(max(0, cell), len(self.value))

    def render_line(self, y: int) -> Strip:
        if self.is_plain or y:
            return super().render_line(y)
        left, right = ("[", "]") if self.app.no_color or self.app.native_ansi_color else (" ", " ")
        digit = self.get_component_rich_style("code-cells--digit")
        current = self.get_component_rich_style("code-cells--current")
        segments: list[Segment] = []
        for index, start in enumerate(_STARTS):
            gap = start - sum(segment.cell_length for segment in segments)
            symbol = self.value[index] if index < len(self.value) else "_"
            style = current if self.has_focus and index == self._current else digit
            segments += [Segment(" " * gap, self.rich_style), Segment(f"{left}{symbol}{right}", style)]
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)


class CodeTimeLeft(Widget):
    """`━━━━━━──── 17 s left`: the seconds until the authenticator shows another code, by the clock of this machine."""

    ALLOW_SELECT: ClassVar[bool] = False

    seconds: reactive[int] = reactive(CODE_SECONDS)

    def __init__(self, now: Callable[[], datetime], *, id: str | None = None) -> None:  # noqa: A002 (as every widget)
        super().__init__(id=id)
        self._now = now
        self._timer: Timer | None = None

    def on_mount(self) -> None:
        self._timer = self.set_interval(1, self.read_clock, pause=True)

    def on_show(self) -> None:
        self.read_clock()
        if self._timer is not None:
            self._timer.resume()

    def on_hide(self) -> None:
        if self._timer is not None:
            self._timer.pause()

    @property
    def is_ticking(self) -> bool:
        """True if the clock is read each second: only while the widget is visible."""
        return self._timer is not None and self._timer._active.is_set()  # noqa: SLF001 - Textual has no other way to ask

    def read_clock(self) -> None:
        self.seconds = CODE_SECONDS - int(self._now().timestamp()) % CODE_SECONDS

    def render(self) -> RenderResult:
        full = -(-self.seconds * _BAR_CELLS // CODE_SECONDS)
        colour = "$text-warning" if self.seconds <= 5 else "$primary"
        return Content.assemble(
            ("━" * full, colour),
            ("─" * (_BAR_CELLS - full), "$border-blurred"),
            (f" {self.seconds} s left", "$foreground-muted"),
        )
