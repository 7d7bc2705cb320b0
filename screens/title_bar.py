"""The title bar above every page: where the person is, and the state of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import RenderResult
from textual.content import Content
from textual.events import Click
from textual.reactive import reactive
from textual.widget import Widget

from store.money import show_usd
from store.text import sanitize

if TYPE_CHECKING:
    from tui.account import Summary

BRAND: Final = "gatekey"
GAP_CELLS: Final = 2
"""Cells between the breadcrumb and the chips."""
MIN_NAME_CELLS: Final = 8
"""Cells of a long account name that stay."""


class TitleBar(Widget):
    """`gatekey  Settings › Security      alice · $4.20 left · ▲ 2FA off · Security 2/5`.

    A row that is too short loses the first crumbs, words of the chips, and then the name. A click opens the
    recommendations.
    """

    ALLOW_SELECT: ClassVar[bool] = False

    crumbs: reactive[tuple[str, ...]] = reactive(("Settings",))
    """The path to the page; the last is always shown."""
    summary: reactive[Summary | None] = reactive(None)

    def render(self) -> RenderResult:
        width = self.content_size.width
        for drop, is_short, has_name in (
            (0, False, True),
            (1, False, True),
            (1, True, True),
            (1, True, False),
            (len(self.crumbs) - 1, True, False),
        ):
            path = self._path(drop)
            chips = self._chips(is_short=is_short, has_name=has_name, room=width - path.cell_length - GAP_CELLS)
            gap = width - path.cell_length - chips.cell_length
            if gap >= GAP_CELLS:
                break
        return Content.assemble(path, " " * max(GAP_CELLS, gap), chips)

    async def on_click(self, event: Click) -> None:
        event.stop()
        await self.run_action("screen.recommendations")

    def _path(self, drop: int) -> Content:
        crumbs = self.crumbs[min(drop, len(self.crumbs) - 1) :] if len(self.crumbs) > 2 or drop > 1 else self.crumbs
        parents = Content.styled("".join(f"{crumb} › " for crumb in crumbs[:-1]), "$foreground-muted")
        brand = Content.styled(f"{BRAND}  ", "bold $text-primary") if drop <= 1 else Content("")
        return Content.assemble(brand, parents, (crumbs[-1], "bold"))

    def _chips(self, *, is_short: bool, has_name: bool, room: int) -> Content:
        summary = self.summary
        if summary is None:
            return Content("")
        met, of = sum(check.is_met for check in summary.checks), len(summary.checks)
        is_on = summary.two_factor.is_enabled
        word = "" if is_short else " on" if is_on else " off"
        chips = [
            Content.styled(f"{show_usd(summary.remaining_micro_usd)}{'' if is_short else ' left'}", _colour(summary)),
            *(
                []
                if self.app.account.capabilities.no_two_factor  # type: ignore[attr-defined] # the console's
                else [
                    Content.styled(f"{'●' if is_on else '▲'} 2FA{word}", "$text-success" if is_on else "$text-warning")
                ]
            ),
            Content.assemble(
                "" if is_short else "Security ", (f"{met}/{of}", "$text-success" if met == of else "$text-warning")
            ),
        ]
        if has_name:
            rest = sum(chip.cell_length + 3 for chip in chips)
            name = Content(sanitize(summary.name))
            chips.insert(0, name.truncate(max(MIN_NAME_CELLS, room - rest), ellipsis=True))
        return Content.styled(" · ", "$foreground-muted").join(chips)


def _colour(summary: Summary) -> str:
    """Red below the warning threshold, amber below twice the threshold, green above."""
    if summary.remaining_micro_usd < summary.threshold_micro_usd:
        return "$text-error"
    if summary.remaining_micro_usd < 2 * summary.threshold_micro_usd:
        return "$text-warning"
    return "$text-success"
