"""The Wallet: the ledger without end, the details of a change, redeeming a code, and finding a price."""

import csv
import stat
from pathlib import Path

import pytest

from screens.console import Console
from screens.modules.ledger_details import LedgerDetails
from screens.modules.redeem_code import RedeemCode
from screens.modules.row_export import ExportRows
from screens.modules.wallet import WalletPage
from screens.navigation import Navigation
from screens.title_bar import TitleBar
from store.errors import DatabaseBusy
from store.money import type_usd
from store.store import Store
from store.values.billing import QuotaState
from store.values.ledger import LedgerEntry, LedgerPage
from tests.harness.consoles import Stage, console
from tests.harness.full_disk import largest_file
from tests.harness.stores import add_account, make_store, sign_in, store_with_account
from tests.snapshots.scenes import spent_store
from tui.local_account import LocalAccount
from tui.widgets.keyset_table import KeysetTable


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def open_wallet(stage: Stage) -> WalletPage:
    screen = stage.app.screen
    assert isinstance(screen, Console)
    screen.action_open_module("wallet")
    await stage.settle()
    page = screen.query_one(WalletPage)
    assert page.query_one("#ledger").has_focus
    return page


def one_code(store: Store) -> str:
    (made,) = store.redeem_codes.create(2_500_000, 1, note="spring offer", actor="unix:root")
    return made.code


async def test_the_ledger_and_the_figures_are_exact() -> None:
    async with console(spent_store(), size=(120, 40)) as stage:
        await open_wallet(stage)
        assert stage.says("+2.500000")
        assert stage.says("by unix:root: monthly budget")
        assert stage.says("$0.04 held by calls")
        assert stage.says("about 324 days")
        assert stage.says("-0.107007 22.340739")


async def test_enter_tells_the_call_that_was_paid() -> None:
    async with console(spent_store()) as stage:
        page = await open_wallet(stage)
        await stage.press("down", "down", "enter")
        assert isinstance(stage.app.screen, LedgerDetails)
        for words in ("-$0.010470", "Model claude-sonnet-4-5", "API key notebook", "Tokens in", "Took"):
            assert stage.says(words.replace("-$0.010470", "-$0.01047")), stage.text()
        await stage.press("escape")
        assert page.query_one("#ledger").has_focus
        await stage.press("up", "enter")
        assert stage.says("Reason monthly budget")
        assert stage.says("By unix:root")


async def test_a_code_is_redeemed_and_everything_shows_it() -> None:
    store = spent_store()
    code = one_code(store)
    async with console(store, size=(120, 40)) as stage:
        page = await open_wallet(stage)
        await stage.press("r")
        assert isinstance(stage.app.screen, RedeemCode)
        await stage.press("enter")
        assert stage.says("Enter the code that you were given.")
        await stage.type("hello")
        await stage.press("enter")
        assert stage.says("A code has 25 letters and digits")
        await stage.enter("code", "ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ")
        assert stage.says("There is no such code.")
        assert stage.says("4 more tries")
        await stage.enter("code", code.lower())
        assert isinstance(stage.app.screen, Console)
        assert stage.says("$2.50 added. $32.33 left.")
        summary = stage.app.screen.query_one(TitleBar).summary
        assert summary is not None
        assert summary.remaining_micro_usd == 32_330_269
        assert stage.app.screen.query_one(Navigation).badges["wallet"] == "$32.33"
        table: KeysetTable[LedgerEntry] = page.query_one("#ledger", KeysetTable)
        row = table.row
        assert row is not None
        assert (row.amount_micro_usd, row.reason) == (2_500_000, "spring offer")


async def test_e_writes_every_change_into_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = spent_store()
    async with console(store) as stage:
        await open_wallet(stage)
        await stage.press("e")
        assert isinstance(stage.app.screen, ExportRows)
        assert stage.says("Every change of the balance, with the balance after it.")
        assert stage.says("ledger.csv")
        with largest_file(100):
            await stage.press("enter")
            assert stage.says("is the disk full?")
        assert names(tmp_path) == []
        await stage.press("enter")
        assert stage.says("Saved to")
        assert not isinstance(stage.app.screen, ExportRows)
        await stage.press("p")
        await stage.press("e")
        assert not isinstance(stage.app.screen, ExportRows), "the prices are no ledger"
        assert not stage.says("Export e")
    assert names(tmp_path) == ["ledger.csv"]
    path = tmp_path / "ledger.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [int(row["number"]) for row in rows] == list(range(len(rows), 0, -1))
    assert rows[0]["balance_usd"] == type_usd(store.ledger.page(sign_in(store)).entries[0].balance_micro_usd)


async def test_a_price_is_found() -> None:
    async with console(spent_store()) as stage:
        page = await open_wallet(stage)
        await stage.press("p")
        assert page.shows_prices
        assert stage.says("3 models")
        assert page.query_one("#prices").has_focus
        await stage.press("slash")
        await stage.type("GPT")
        assert stage.says("1 model")
        assert not stage.says("deepseek-chat")
        await stage.press("enter")
        assert page.query_one("#prices").has_focus
        await stage.press("p")
        assert not page.shows_prices
        assert page.query_one("#ledger").has_focus
        await stage.press("slash")
        assert page.query_one("#price-filter").has_focus
        await stage.press("x")
        assert stage.says("No price is named so.")


async def test_end_goes_to_the_oldest_change() -> None:
    store = store_with_account()
    for _ in range(1500):
        store.quota.adjust("alice", add=1, actor="root")
    async with console(store, size=(80, 120)) as stage:
        table: KeysetTable[LedgerEntry] = (await open_wallet(stage)).query_one("#ledger", KeysetTable)

        def at() -> int:
            return 0 if table.row is None else table.row.sequence

        assert at() == 1501
        await stage.press("end")
        assert at() == 1
        for _ in range(20):
            await stage.press("pageup")
        assert at() > 1000
        assert table.row_count <= 1000
        await stage.press("home")
        assert at() == 1501


async def test_an_account_without_money_is_told_so() -> None:
    store = make_store()
    add_account(store, quota_usd=0)
    async with console(store) as stage:
        await open_wallet(stage)
        assert stage.says("There is no change yet: nothing was added and nothing was spent.")
        assert stage.says("nothing spent this week")
        await stage.press("enter")
        assert isinstance(stage.app.screen, Console)
        await stage.press("p")
        assert stage.says("gatekey admin price set")


async def test_a_ledger_that_cannot_be_read_is_said_and_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(_self: LocalAccount, _before: int | None = None) -> LedgerPage:
        raise DatabaseBusy

    async with console(spent_store()) as stage:
        with monkeypatch.context() as patch:
            patch.setattr(LocalAccount, "ledger", busy)
            await open_wallet(stage)
            assert stage.says(str(DatabaseBusy()))
        await stage.press("f5")
        assert stage.says("spring offer")
        assert not stage.says(str(DatabaseBusy()))


async def test_refresh_on_the_ledger_reads_the_balance_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(_self: LocalAccount) -> QuotaState:
        raise DatabaseBusy

    store = spent_store()
    async with console(store, size=(120, 40)) as stage:
        with monkeypatch.context() as patch:
            patch.setattr(LocalAccount, "quota", busy)
            await open_wallet(stage)
            assert stage.says(f"{DatabaseBusy()} F5 reads the page again.")
        await stage.press("f5")
        assert not stage.says(str(DatabaseBusy()))
        store.quota.adjust("alice", add=1_000_000, actor="unix:root")
        await stage.press("f5")
        assert stage.says("$30.83")
