"""Overview: what is left, what was spent and on what, the recommendations, the last errors and notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import OptionList

from screens.account_modal import Notice
from screens.limited_text import reworded
from screens.modules.module_page import ModulePage, SettingAsked
from screens.modules.overview_rows import (
    TITLES,
    lines_of_checks,
    lines_of_deliveries,
    lines_of_errors,
    shares_of,
    tiles_of,
    tokens_in_words,
)
from screens.recommendations import CONTROLS_BY_ADVICE
from store.errors import GatekeyError, ServerFailed, SessionEnded
from store.money import show_usd
from store.values.recommendations import Advice
from tui.widgets.bar_chart import Bar, BarChart
from tui.widgets.link_list import LinkList
from tui.widgets.section import Section
from tui.widgets.share_bars import ShareBars
from tui.widgets.tiles import Tiles

if TYPE_CHECKING:
    from textual.events import Resize

    from store.values.dashboard import Dashboard

RANGES: Final = (7, 30, 90)
"""The days that the chart can show."""
REFRESH_S: Final = 5.0
"""Seconds between two readings while the page is visible."""
TWO_COLUMNS_WIDTH: Final = 150
"""Columns from which the recommendations and the last events stand beside the figures, not below them."""
_CHOSEN: Final = "bold $text-primary"
_NO_ERROR: Final = "No call has failed."
_NONE_SENT: Final = "None was sent yet."
_NOTHING_YET: Final = "Nothing was used yet. Create an API key to begin."


class OverviewPage(ModulePage):
    HELP_TEXT: ClassVar[str] = (
        "Your account at a glance: what is left, what was spent in each UTC day, with which models and keys, the "
        "recommendations, the last errors and the last notifications. An arrow compares with as many days before, and "
        "today with yesterday. "
        "Errors, models and keys are those of the range that the chart shows. The page reads itself again every few "
        "seconds."
    )
    IS_EXPLAINED: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "range", "Days", id="overview.range", tooltip="Show the last 7, 30 or 90 days"),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 (Widget's)
        super().__init__(id=id, classes=f"{classes or ''} -broad")
        self.days = RANGES[1]
        self._found: Dashboard | None = None
        """The figures as they were read last."""
        self._shown: Dashboard | None = None

    def compose(self) -> ComposeResult:
        yield Notice()
        with Vertical(id="spending"):
            yield Tiles(TITLES, notes=2, id="tiles")
            with Section("Cost by day", id="by-day"):
                yield BarChart(lambda value: show_usd(value, exact=True), id="costs")
            with Horizontal(classes="pair"):
                with Section("By model"):
                    yield ShareBars(id="by-model")
                with Section("By key"):
                    yield ShareBars(id="by-key")
        with Vertical(id="events"):
            with Section("Recommendations", id="recommendations"):
                yield LinkList(id="checks")
            with Section("Last errors"):
                yield LinkList(id="errors")
            with Section("Last notifications"):
                yield LinkList(id="notifications")

    def on_mount(self) -> None:
        self._show_range()
        self.set_interval(REFRESH_S, self._refresh_if_visible)
        super().on_mount()

    def on_resize(self, event: Resize) -> None:
        self.set_class(event.size.width >= TWO_COLUMNS_WIDTH, "-two-columns")

    @property
    def purpose(self) -> str:
        can = self.account.capabilities
        text = reworded(
            self.HELP_TEXT,
            (can.no_delivery_report, ", the last errors and the last notifications", " and the last errors"),
            (can.figures_lag, " The page reads itself again every few seconds.", ""),
        )
        return " ".join(filter(None, (text, can.figures_lag, can.errors_may_be_unlogged)))

    # -- reading ---------------------------------------------------------------------------------------------

    def reload(self) -> None:
        self.load()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        days = self.days
        with self.reading():
            found = await self.fetch(lambda: self.account.dashboard(days))
        if found is not None:
            self.query_one(Notice).clear_sentence()
            self._show(found.value)
        else:
            self.offer_reload()

    def _refresh_if_visible(self) -> None:
        if self._shown is not None and self.display and self.app.screen is self.screen and not self.app.is_locked:
            self.load_again()

    @work(exclusive=True, group="load")
    async def load_again(self) -> None:
        """Read the figures again, without a dialog: nobody asked for it. The next reading tries what failed."""
        with self.reading(is_whole=False) as readings:
            try:
                found = await self.account.dashboard(self.days, is_activity=False)
                readings.was_whole = found is not self._found  # a server is not asked each time
                self._show(found)
            except SessionEnded as error:
                self.app.session_ended(error)
            except ServerFailed as error:
                self.note_unread(error)
            except GatekeyError:
                self.note_unread()

    def _show(self, shown: Dashboard) -> None:
        """Show the figures. Without a change nothing is drawn."""
        self._found = shown
        if shown == self._shown:
            return
        self._shown = shown
        can = self.account.capabilities
        self.query_one(Tiles).tiles = tiles_of(shown, can)
        chart = self.query_one(BarChart)
        chart.bars = tuple(Bar(day.day[5:], day.cost_micro_usd) for day in shown.days)
        chart.note = "" if any(day.calls for day in shown.days) else self._nothing(shown)
        for name, totals, nameless, noun in (
            ("#by-model", shown.by_model, "refused calls", "model"),
            ("#by-key", shown.by_key, "without a key", "key"),
        ):
            bars = self.query_one(name, ShareBars)
            bars.shares = shares_of(totals, nameless=nameless, noun=noun)
            bars.note = "" if totals else "none"
        zone = self.app.zone
        self._show_lines("#checks", lines_of_checks(shown.checks), "")
        self._show_lines("#errors", lines_of_errors(shown.last_errors, zone), can.errors_may_be_unlogged or _NO_ERROR)
        self._show_lines(
            "#notifications", lines_of_deliveries(shown.last_deliveries, zone), can.no_delivery_report or _NONE_SENT
        )
        met = sum(check.is_met for check in shown.checks)
        self.query_one("#recommendations", Section).state = _muted(f"{met} of {len(shown.checks)} followed")
        self._show_range()

    def _nothing(self, shown: Dashboard) -> str:
        return f"No call in the last {self.days} days." if shown.quota.used_micro_usd else _NOTHING_YET

    def _show_lines(self, name: str, lines: tuple[Content, ...], empty: str) -> None:
        links = self.query_one(name, LinkList)
        links.disabled = not lines
        links.show_lines(lines or (_muted(empty),))

    def _show_range(self) -> None:
        tokens = "" if self._shown is None else f"{tokens_in_words(self._shown.chosen.now.tokens)}   "
        choices = Content.styled(" · ", "$foreground-muted").join(
            [Content.styled(f"{days}", _CHOSEN if days == self.days else "$foreground-muted") for days in RANGES]
        )
        self.query_one("#by-day", Section).state = Content.assemble(_muted(f"{tokens}days "), choices)

    # -- acting ----------------------------------------------------------------------------------------------

    def action_range(self) -> None:
        """Show the next range of days."""
        self.days = RANGES[(RANGES.index(self.days) + 1) % len(RANGES)]
        self._show_range()
        self.load()

    @on(OptionList.OptionSelected, "#checks")
    def check_chosen(self, event: OptionList.OptionSelected) -> None:
        if self._shown is not None:
            self._follow(self._shown.checks[event.option_index].advice)

    @on(OptionList.OptionSelected, "#errors")
    async def error_chosen(self) -> None:
        await self.run_action("screen.jump('usage-logs')")

    @on(OptionList.OptionSelected, "#notifications")
    def notification_chosen(self) -> None:
        self._follow(Advice.QUOTA_WARNING)

    def _follow(self, advice: Advice) -> None:
        self.post_message(SettingAsked(*CONTROLS_BY_ADVICE[advice]))


def _muted(text: str) -> Content:
    return Content.styled(text, "$foreground-muted")
