"""The Overview: the figures of the account, the way to what they are about, and a quiet refresh."""

from datetime import UTC

import pytest
from textual.app import App

from screens.console import Console
from screens.modules import overview
from screens.modules.overview import OverviewPage
from screens.modules.overview_rows import lines_of_errors
from screens.navigation import Navigation
from screens.settings.page import SettingsPage
from store.errors import DatabaseBusy
from store.sections import SidebarSettings
from store.store import Store
from store.values.dashboard import Dashboard
from store.values.usage import Kind, LoggedEntry, UsageEntry
from tests.harness.console_steps import open_module
from tests.harness.consoles import Stage, console
from tests.harness.people import configure_mail
from tests.harness.quota_calls import book_call, hold_quota, spend_quota
from tests.harness.stores import START, sign_in, store_with_account
from tests.snapshots.scenes import spent_store
from tui.local_account import LocalAccount
from tui.widgets.link_list import LinkList


async def open_overview(stage: Stage) -> OverviewPage:
    await open_module(stage, "overview")
    return stage.app.screen.query_one(OverviewPage)


@pytest.fixture(autouse=True)
def _no_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests refresh the page themselves. On a slow machine the timer would do it too."""
    monkeypatch.setattr(overview, "REFRESH_S", 3600)


async def refresh(stage: Stage, page: OverviewPage) -> None:
    """Do what the timer does."""
    page._refresh_if_visible()
    await stage.settle()


def call(store: Store, cost: int) -> None:
    account = store.accounts.find("alice")
    entry = UsageEntry(Kind.CONSUMPTION, "brand-new-model", "notebook")
    book_call(store, hold_quota(store, account.id, cost), cost, entry)


async def test_the_figures_tell_one_story() -> None:
    async with console(spent_store(), size=(120, 40)) as stage:
        await open_overview(stage)
        for words in (
            "$29.83",
            "91 %",
            "$0.04 held",
            "▲ 147 %",
            "3.7 % of calls",
            "claude-sonnet-4-5",
            "2 of 5 followed",
        ):
            assert stage.says(words), words
        assert stage.says("11-14 09:00 503 gpt-5-mini notebook The model server could not be reached.")
        assert stage.says("None was sent yet.")
        assert stage.says("10-25")


async def test_the_range_goes_round() -> None:
    async with console(spent_store(), size=(120, 40)) as stage:
        page = await open_overview(stage)
        for days, first in ((90, "08-26"), (7, "11-17"), (30, "10-25")):
            await stage.press("d")
            assert page.days == days
            assert stage.says(first)


def test_the_columns_of_the_errors_stand_below_each_other() -> None:
    parts = (("503", "gpt-5-mini", "キー"), ("upstream_unreachable", "日本語", "laptop"), ("x", "", ""))
    errors = [
        LoggedEntry(number, START, UsageEntry(Kind.ERROR, model, key, status=status, detail="Why."))
        for number, (status, model, key) in enumerate(parts)
    ]
    lines = lines_of_errors(errors, UTC)
    assert len({line.cell_length for line in lines}) == 1, [line.plain for line in lines]
    assert lines_of_errors([], UTC) == ()


async def test_an_account_without_a_call_is_told_how_to_begin(stage: Stage) -> None:
    page = await open_overview(stage)
    assert stage.says("Nothing was used yet. Create an API key to begin.")
    assert page.query_one("#errors", LinkList).disabled
    await stage.press("tab", "end", "enter")
    assert isinstance(stage.app.screen.query_one(SettingsPage).display, bool)


async def test_enter_leads_to_what_a_line_is_about() -> None:
    store = spent_store()
    configure_mail(store)
    spend_quota(store, store.accounts.find("alice").id, 29_700_000)
    async with console(store, size=(120, 40)) as stage:
        page = await open_overview(stage)
        console_screen = stage.app.screen
        assert isinstance(console_screen, Console)
        assert stage.says("▲ waiting Quota warning by email")
        page.query_one("#checks").focus()
        await stage.press("down", "down", "down", "enter")
        assert console_screen.query_one(SettingsPage).active == "notifications"
        assert stage.app.focused is not None
        assert stage.app.focused.id == "quota-warning-threshold"
        await open_overview(stage)
        page.query_one("#errors").focus()
        await stage.press("enter")
        assert console_screen.page.id == "usage-logs-page"


async def test_arrows_walk_from_list_to_list() -> None:
    async with console(spent_store(), size=(120, 40)) as stage:
        page = await open_overview(stage)
        page.query_one("#checks").focus()
        await stage.press("down", "down", "j", "down", "down")
        assert page.query_one("#errors").has_focus
        await stage.press("k")
        assert page.query_one("#checks").has_focus


async def test_a_refresh_shows_what_changed_and_keeps_the_focus() -> None:
    store = spent_store()
    async with console(store, size=(120, 40)) as stage:
        page = await open_overview(stage)
        errors = page.query_one("#errors", LinkList)
        errors.focus()
        await stage.press("down")
        call(store, 9_000_000)
        store.usage.record(store.accounts.find("alice").id, UsageEntry(Kind.ERROR, "gpt-9", "build", status="429"))
        await refresh(stage, page)
        assert stage.says("$9.00")
        assert stage.says("429 gpt-9")
        assert stage.says("brand-new-model")
        assert (errors.has_focus, errors.highlighted) == (True, 1)


async def test_a_refresh_without_a_change_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[object] = []
    async with console(spent_store(), size=(120, 40)) as stage:
        page = await open_overview(stage)
        await refresh(stage, page)
        # Whatever is written to the terminal goes through here; None is an update without anything to draw.
        monkeypatch.setattr(stage.app, "_display", lambda _, update: drawn.append(update) if update else None)
        for _ in range(3):
            await refresh(stage, page)
        assert drawn == []
        call(stage.store, 9_000_000)
        await refresh(stage, page)
        assert drawn, "the count counts"


async def test_a_refresh_reads_only_a_page_that_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0
    real = LocalAccount.dashboard

    async def counted(self: LocalAccount, days: int = 30, *, is_activity: bool = True) -> Dashboard:
        nonlocal read
        read += not is_activity
        return await real(self, days, is_activity=is_activity)

    monkeypatch.setattr(LocalAccount, "dashboard", counted)
    async with console(spent_store()) as stage:
        page = await open_overview(stage)
        await refresh(stage, page)
        assert read == 1
        await stage.press("f1")
        await refresh(stage, page)
        await stage.press("escape")
        console_screen = stage.app.screen
        assert isinstance(console_screen, Console)
        console_screen.action_open_module("settings")
        await stage.settle()
        await refresh(stage, page)
        assert read == 1


async def test_a_refresh_that_fails_keeps_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(_self: LocalAccount, _days: int = 30, *, is_activity: bool = True) -> Dashboard:
        raise DatabaseBusy

    async with console(spent_store(), size=(120, 40)) as stage:
        page = await open_overview(stage)
        before = stage.text()
        monkeypatch.setattr(LocalAccount, "dashboard", busy)
        await refresh(stage, page)
        assert stage.text() == before
        await stage.press("f5")
        assert stage.says(str(DatabaseBusy()))
        monkeypatch.undo()
        await stage.press("f5")
        assert stage.text() == before


async def test_the_timer_runs() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overview, "REFRESH_S", 0.05)
        store = spent_store()
        async with console(store, size=(120, 40)) as stage:
            await open_overview(stage)
            call(store, 9_000_000)
            await stage.until(lambda: stage.says("brand-new-model"))


# -- the sidebar -------------------------------------------------------------------------------------------------


def module_pages(app: App[None]) -> Navigation:
    return app.screen.query_one(Navigation)


async def test_the_sidebar_counts_errors_keys_and_money() -> None:
    store = spent_store()
    account = store.accounts.find("alice")
    for _ in range(2):
        store.usage.record(account.id, UsageEntry(Kind.ERROR, "gpt", status="503"))
    async with console(store, size=(120, 40)) as stage:
        assert module_pages(stage.app).badges == {"api-keys": "1", "usage-logs": "2", "wallet": "$29.83"}
        (line,) = [line for line in stage.text().split("\n") if "Usage Logs" in line]
        assert line.split("│")[0].split() == ["Usage", "Logs", "2"]


def parts_of(stage: Stage) -> tuple[list[str], list[str]]:
    """The lines of the sidebar, and those beside it."""
    lines = [line.partition("│") for line in stage.text().split("\n")[1:-1]]
    return [line[0] for line in lines], [line[2] for line in lines]


async def test_a_hidden_module_vanishes_and_nothing_else_changes() -> None:
    store = store_with_account()
    token = sign_in(store)
    async with console(store, size=(120, 40)) as stage:
        before = parts_of(stage)
        saved = store.settings.load(token, SidebarSettings)
        store.settings.save(token, SidebarSettings(frozenset({"wallet"})), saved.version)
        screen = stage.app.screen
        assert isinstance(screen, Console)
        screen.refresh_summary()
        await stage.settle()
        after = parts_of(stage)
        assert "wallet" not in module_pages(stage.app).shown
        assert [line for line in before[0] if "Wallet" not in line] == after[0][:-1]
        assert before[1] == after[1]
        assert not stage.says("Wallet")
        await stage.press("ctrl+p")
        await stage.type("wallet")
        assert "Open Wallet" not in stage.text()
        await stage.press("escape")
        screen.action_jump("wallet")
        await stage.settle()
        assert screen.page.id == "settings-page"
        assert stage.says("Wallet is hidden.")
        # What the module shows is still there: the balance is in the title bar, and the account works as before.
        assert stage.says("$5.00 left")
        assert store.ledger.page(token).entries


@pytest.mark.parametrize("width", [120, 200])
async def test_a_screen_wide_enough_shows_the_last_events_beside_the_figures(width: int) -> None:
    async with console(spent_store(), size=(width, 50)) as stage:
        page = await open_overview(stage)
        spending, events = (page.query_one(name).region for name in ("#spending", "#events"))
        if width == 200:
            assert (events.y, events.x >= spending.right) == (spending.y, True)
            words = " ".join(stage._text_of(events).translate(str.maketrans("│", " ")).split())
            assert "Carefully review pricing safeguards before enabling models without price settings" in words
        else:
            assert (events.y >= spending.bottom, events.x) == (True, spending.x)
