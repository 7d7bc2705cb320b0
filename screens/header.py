"""The header above every page: its title and the state of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import RenderResult
from textual.content import Content
from textual.events import Click
from textual.reactive import reactive
from textual.widget import Widget

from store.money import show_usd
from store.text import sanitize

if TYPE_CHECKING:
    from tui.account import Summary


class Header(Widget):
    """`Settings ─── alice · $4.20 left · 2FA on · 3 of 5 ✓`. A click opens the recommendations."""

    ALLOW_SELECT: ClassVar[bool] = False

    page: reactive[str] = reactive("Settings")
    summary: reactive[Summary | None] = reactive(None)

    def render(self) -> RenderResult:
        width = self.content_size.width
        title = Content.styled(f"{self.page} ", "bold $text-primary")
        state = self._state(width - title.cell_length - 4)
        rule = max(1, width - title.cell_length - state.cell_length)
        return Content.assemble(title, ("─" * rule, "$border-blurred"), state)

    async def on_click(self, event: Click) -> None:
        event.stop()
        await self.run_action("screen.recommendations")

    def _state(self, room: int) -> Content:
        summary = self.summary
        if summary is None:
            return Content("")
        met, of = sum(check.is_met for check in summary.checks), len(summary.checks)
        two_factor = ("2FA on", "$text-success") if summary.two_factor.is_enabled else ("2FA off", "$text-warning")
        parts = [
            Content(sanitize(summary.name)),
            Content(f"{show_usd(summary.remaining_micro_usd)} left"),
            Content.styled(*two_factor),
            Content.styled(f"{met} of {of} ✓", "$text-success" if met == of else "$text-warning"),
        ]
        parts[0] = parts[0].truncate(max(8, room - sum(part.cell_length + 3 for part in parts[1:]) - 2), ellipsis=True)
        line = Content(" · ").join(parts)
        return Content.assemble(" ", line)
