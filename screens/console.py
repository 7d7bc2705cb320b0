"""The console: sidebar, header, page and footer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Static

from screens.modules import page_for
from screens.modules.module_page import BalanceChanged, ModulePage, SettingAsked
from screens.navigation import Navigation
from screens.page_reading import PageReading, ReadingLine
from screens.settings.page import FIRST, HEADINGS, SettingsPage
from screens.sign_in_line import SignInLine, sign_in_line
from screens.title_bar import TitleBar
from store.errors import GatekeyError, ServerFailed
from store.modules import SECTIONS
from store.money import show_usd
from tui.idle_loop import until_idle
from tui.widgets.context_panel import ContextPanel
from tui.widgets.footer import KeyFooter
from tui.widgets.small_screen import SmallScreenGuard
from tui.widgets.tab_bar import TabBar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.widget import Widget

    from tui.account import Summary

IDLE_FOR_S: Final = 0.05
IDLE_TIMEOUT_S: Final = 1.0
"""Seconds. The import of the store waits until the loop is idle, because it would delay the first picture and the first
keys, but not longer than this."""
_LABELS: Final = {module.id: module.label for section in SECTIONS for module in section.modules}


class Console(SmallScreenGuard, PageReading, Screen[None]):
    """Shows one page at a time, Settings first. Below 100 columns the sidebar is a drawer."""

    AUTO_FOCUS: ClassVar[str | None] = "#settings-tabs"
    NEEDS_FIRST_STYLES_ONLY: ClassVar[bool] = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "sidebar", "Sidebar", id="console.sidebar", tooltip="Show or hide the modules"),
        Binding("r", "recommendations", "Checks", id="console.checks", tooltip="The operational recommendations"),
    ]

    def compose(self) -> ComposeResult:
        title_bar = TitleBar(id="title-bar")
        title_bar.set_reactive(TitleBar.crumbs, ("Settings", *HEADINGS[FIRST]))
        yield title_bar
        with Horizontal(id="frame"):
            yield Navigation(id="navigation")
            with Vertical(id="page"):
                if self.app.banner:
                    yield Static(self.app.banner, markup=False, id="banner", classes="warning")
                yield from self._sign_in_lines()
                yield ContextPanel()
                yield SettingsPage(id="settings-page")
        yield KeyFooter()

    def on_screen_suspend(self) -> None:
        self._forget_sign_in_line()

    def on_mount(self) -> None:
        self.start()

    @work(exclusive=True, group="start")
    async def start(self, *, is_drawn: bool = False) -> None:
        """Open the data if it is not open yet, then fill the page. `is_drawn` says that nothing waits to be drawn."""
        if not self.account.is_open and not is_drawn:
            await until_idle(IDLE_FOR_S, IDLE_TIMEOUT_S)
        if not self.account.is_open:
            if not await self._open():
                return
            if lines := list(self._sign_in_lines()):
                await self.query_one("#page").mount_all(lines, before="ContextPanel")
        for page in self.query(SettingsPage):  # none once the console is being left
            page.ready()
        self._explain_page()
        await self._show_summary()
        await self.app.add_style_sheets_in_turns()

    def _sign_in_lines(self) -> Iterator[Static]:
        """The lines about the sign-in that opened the account. They are known once it is open."""
        if self.account.sign_in_notice:
            yield Static(self.account.sign_in_notice, markup=False, id="sign-in-notice", classes="warning")
        news = self.account.sign_in_news
        if news is not None and (line := sign_in_line(news, self.account.now())):
            yield line

    def refresh_summary(self) -> None:
        """Read the summary in the header again."""
        self.run_worker(self._show_summary, group="summary", exclusive=True)

    @property
    def unsaved(self) -> bool:
        """True if a tab has edits that are not saved."""
        return any(page.unsaved for page in self.query(SettingsPage))

    async def confirm_leave(self) -> bool:
        """Ask about unsaved edits; returns whether the console may close. Call it in a worker."""
        for page in self.query(SettingsPage):
            if page.unsaved and page is not self.page:
                await self.open_module("settings")
            if not await page.confirm_leave():
                return False
        return True

    @property
    def page(self) -> Widget:
        """The visible page."""
        return next(page for page in self._pages if page.display)

    @property
    def _has_page(self) -> bool:
        """False while the console closes."""
        return any(page.display for page in self._pages)

    @property
    def _parts(self) -> list[Widget]:
        """The lines and the pages beside the sidebar. A query would walk the controls of every page, at each tab."""
        place = self.query_one_optional("#page")
        return list(place.children) if place is not None and place.is_attached else []

    @property
    def _pages(self) -> list[Widget]:
        return [part for part in self._parts if part.has_class("module-page")]

    def _forget_sign_in_line(self) -> None:
        """Remove the line about the last sign-in: the person has gone on."""
        for part in self._parts:
            if isinstance(part, SignInLine):
                part.remove()

    # -- navigation -----------------------------------------------------------------------------------------

    def watch_focused(self, focused: Widget | None) -> None:
        """Give the focus back if it is lost, because without a focus the page has no keys."""
        if focused is None and self.is_current and self.app.app_focus:
            self.call_later(self._restore_focus)

    def _restore_focus(self) -> None:
        if self.focused is None and self.is_current and self.app.app_focus and self._has_page:
            self._focus_page()

    def action_sidebar(self) -> None:
        navigation = self.query_one(Navigation)
        if navigation.has_focus:
            self._close_drawer()
        else:
            navigation.add_class("-open")
            navigation.focus()

    def action_recommendations(self) -> None:
        self.show_recommendations()

    @work(exclusive=True, group="recommendations")
    async def show_recommendations(self) -> None:
        from screens.recommendations import CONTROLS_BY_ADVICE, RecommendationList

        summary = await self.run_with_reauth(self.account.summary, holds_input=True)
        if summary is None:
            return
        self.query_one(TitleBar).summary = summary.value
        advice = await self.app.push_screen_wait(RecommendationList(summary.value.checks))
        if advice is not None:
            await self.open_setting(*CONTROLS_BY_ADVICE[advice])

    async def open_setting(self, tab: str, control: str) -> None:
        """Show a tab of the settings, and focus a control in it."""
        await self.open_module("settings")
        await self.query_one(SettingsPage).go_to(tab, control)

    @on(BalanceChanged)
    def balance_changed(self) -> None:
        self.refresh_summary()

    @on(SettingAsked)
    def setting_asked(self, event: SettingAsked) -> None:
        self.run_worker(partial(self.open_setting, event.tab, event.setting), group="module", exclusive=True)

    def is_hidden(self, module: str) -> bool:
        """True if the account or the administrator hides the module, and nothing leads to it."""
        return module != "settings" and module in self.query_one(Navigation).hidden

    def action_jump(self, module: str) -> None:
        """Go to a module from a line of another page. Nothing leads to a hidden one."""
        if self.is_hidden(module):
            self.app.notify(f"{_LABELS[module]} is hidden. The tab Sidebar in Settings shows it again.", markup=False)
        else:
            self.action_open_module(module)

    def action_open_module(self, module: str) -> None:
        self.run_worker(partial(self.open_module, module), group="module", exclusive=True)

    @on(Navigation.Opened)
    def module_chosen(self, event: Navigation.Opened) -> None:
        self.action_open_module(event.module)

    async def open_module(self, module: str) -> None:
        """Show the page of a module. A page that was shown before is read again and keeps its edits."""
        navigation, title_bar = self.query_one(Navigation), self.query_one(TitleBar)
        navigation.current = module
        self._forget_sign_in_line()
        title_bar.crumbs = self._crumbs(module)
        page = await self._page(module)
        self.refresh_summary()
        for other in self._pages:
            other.display = other is page
        self._explain_page()
        self._show_reading()
        self._close_drawer()

    def _crumbs(self, module: str) -> tuple[str, ...]:
        if module != "settings":
            return (_LABELS[module],)
        return ("Settings", *HEADINGS[self.query_one(SettingsPage).active])

    @on(TabBar.Activated)
    def tab_shown(self, event: TabBar.Activated) -> None:
        self.query_one(TitleBar).crumbs = ("Settings", *HEADINGS[event.tab_id])
        if event.tab_id != FIRST:
            self._forget_sign_in_line()
        self._explain_page()
        self._show_reading()

    def _explain_page(self) -> None:
        """Tell the purpose of the visible page while no setting has the focus."""
        part, panel = self._part, self.query_one(ContextPanel)
        panel.display = getattr(part, "IS_EXPLAINED", True)
        panel.page = (self.query_one(TitleBar).crumbs[-1], getattr(part, "purpose", ""))

    @property
    def _part(self) -> Widget:
        """The visible page, or of the settings the tab that is shown."""
        page = self.page
        return page.pane if isinstance(page, SettingsPage) else page

    @on(PageReading.Changed)
    def reading_changed(self, event: PageReading.Changed) -> None:
        if self.unread and not event.page.unread:
            self.refresh_summary()
        self._show_reading()

    def _show_reading(self) -> None:
        """Say above the visible page when it was read, if it cannot be read again; else when the title bar was."""
        if not self._has_page:
            return
        part, lines = self._part, [part for part in self._parts if isinstance(part, ReadingLine)]
        words = (part.reading_words if isinstance(part, PageReading) else "") or self.reading_words
        if words and not lines:
            self.query_one("#page").mount(ReadingLine(words), before="ContextPanel")
        for line in lines:
            line.update(words)
            line.display = bool(words)

    async def _page(self, module: str) -> Widget:
        page_id = f"{module}-page"
        for page in self._pages:
            if page.id == page_id:
                if isinstance(page, ModulePage):
                    page.show_again()
                elif isinstance(page, SettingsPage) and page.pane.unread:
                    page.pane.shown()
                return page
        self.app.add_style_sheets()
        page = page_for(module, self.account.capabilities)(id=page_id, classes="module-page")
        await self.query_one("#page").mount(page)
        return page

    def _close_drawer(self) -> None:
        self.query_one(Navigation).remove_class("-open")
        self._focus_page()

    def _focus_page(self) -> None:
        page = self.page
        if isinstance(page, SettingsPage):
            page.focus_tabs()
        else:
            page.focus()

    # -- account ---------------------------------------------------------------------------------------------

    async def _open(self) -> bool:
        try:
            await self.account.open()
        except ServerFailed as error:
            self.note_unread(error)
            return False
        except GatekeyError as error:
            self.show_failure(error)
            return False
        return True

    async def _show_summary(self) -> None:
        with self.reading():
            summary = await self.fetch(self.account.summary)
        if summary is not None:
            self.query_one(TitleBar).summary = summary.value
            self.query_one(Navigation).badges = _badges(summary.value)
            self.query_one(Navigation).hidden = summary.value.hidden_modules
            for notice in self.query("#sign-in-notice"):
                notice.display = bool(self.account.sign_in_notice)


def _badges(summary: Summary) -> dict[str, str]:
    """The usable keys, the errors of today, and the balance."""
    keys = f"{summary.active_api_keys:,}" if summary.active_api_keys else ""
    errors = f"{summary.errors_today:,}" if summary.errors_today else ""
    return {"api-keys": keys, "usage-logs": errors, "wallet": show_usd(summary.remaining_micro_usd)}
