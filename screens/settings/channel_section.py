"""The section of one notification channel: its switch, and its fields, which stay folded away while it is off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from textual.content import Content
from textual.events import Resize
from textual.widgets import Button

from screens.relative_time import ago, until
from store.text import sanitize
from store.values.notifications import DeliveryState
from tui.widgets.field import Field
from tui.widgets.section import Section
from tui.widgets.state import State
from tui.widgets.toggle import Toggle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from textual.widget import AwaitMount

    from store.sections import Channel
    from store.values.notifications import LastDelivery

SENDING: Final = "sending…"
_EDGE_CELLS: Final = 8
"""Cells of the section's edge that neither the title nor the state may take."""


class ChannelSection(Section):
    """One row while the channel is off, until it is entered, edited or has an error. The title tells the state.

    It is made with the row of its switch. The fields follow with `add`, because the first picture shows none.
    """

    def __init__(self, channel: Channel, name: str, row: Field) -> None:
        """`row` is the row of the switch."""
        super().__init__(name, row, id=f"{channel}-section", classes="channel")
        self.channel = channel
        self.is_entered = False
        """True if the fields stay visible although the channel is off."""
        self.is_sending = False
        """True while a test message is under way."""
        self.is_whole = False
        """True once it has its fields."""
        self._heading = name
        self._row = row
        self._fields: tuple[Field, ...] = ()
        self._test_button: Button | None = None
        self._delivery: tuple[LastDelivery, datetime] | None = None

    def add(self, fields: Sequence[Field], test_button: Button | None) -> list[AwaitMount]:
        """Mount the fields, and the button in the row of the switch if there is one."""
        self.is_whole = True
        self._fields, self._test_button = tuple(fields), test_button
        self.fold()
        beside = () if test_button is None else (test_button,)
        return [self._row.add_beside(*beside), self.mount(*self._fields)]

    @property
    def switch(self) -> Toggle:
        return cast("Toggle", self._row.control)

    @property
    def is_open(self) -> bool:
        return self.is_entered or self.switch.value

    def fold(self) -> None:
        """Show the fields if the channel is on or entered, and say in the title whether it is on."""
        is_open = self.is_open
        for field in self._fields:
            field.display = is_open
        if self._test_button is not None:
            self._test_button.display = is_open
        if not self.switch.is_known:
            self.title = Content(self._heading)
            return
        state = State.ON if self.switch.value else State.OFF
        self.title = Content.assemble((state.mark, state.colour), f" {self._heading}")

    def enter(self) -> None:
        """Show the fields, and focus the first."""
        self.is_entered = True
        self.fold()
        if self._fields:
            # The field has a place once it was laid out.
            control = self._fields[0].control
            self.call_after_refresh(lambda: self.screen.set_focus(control))

    # -- the last delivery -------------------------------------------------------------------------------------

    def begin_test(self) -> None:
        """Say that a test message is under way."""
        self.is_sending = True
        if self._test_button is not None:
            self._test_button.disabled = True
        self._row.note = Content("")
        self.state = Content.styled(SENDING, "$foreground-muted")

    def end_test(self) -> None:
        self.is_sending = False
        if self._test_button is not None:
            self._test_button.disabled = False

    def show_delivery(self, delivery: LastDelivery | None, now: datetime) -> None:
        """Show what became of the last message: in the edge, or in full below the switch if that is too short."""
        self._delivery = None if delivery is None else (delivery, now)
        if not self.is_sending:
            self._draw_delivery()

    def on_resize(self, _event: Resize) -> None:
        if self._delivery is not None and not self.is_sending:
            self._draw_delivery()

    def _draw_delivery(self) -> None:
        if self._delivery is None:
            self._row.note, self.state = Content(""), Content("")
            return
        delivery, now = self._delivery
        error = sanitize(delivery.error)
        outcome, whole = _outcome(delivery, now), _outcome(delivery, now, error.rstrip("."))
        fits = whole.cell_length <= self.outer_size.width - self.title.cell_length - _EDGE_CELLS
        self.state = whole if error and fits else outcome
        self._row.note = Content.styled(error if not fits else "", "$text-warning")


def _outcome(delivery: LastDelivery, now: datetime, failure: str = "") -> Content:
    """The outcome of the delivery in a few words; `failure` instead of the time at which it failed."""
    when = ago(delivery.at, now)
    if delivery.state is DeliveryState.DELIVERED:
        return Content.assemble((f"sent {when} ", "$foreground-muted"), ("✓", "$text-success"))
    failure = failure or f"failed {when}"
    if delivery.state is not DeliveryState.WAITING:
        return Content.assemble(("✗", "$text-error"), (f" {failure}", "$foreground-muted"))
    due = until(delivery.next_attempt_at, now) if delivery.next_attempt_at else "soon"
    if not delivery.error:
        return Content.styled(f"queued, sent {due}", "$foreground-muted")
    return Content.assemble(("✗", "$text-error"), (f" {failure}, next try {due}", "$foreground-muted"))
