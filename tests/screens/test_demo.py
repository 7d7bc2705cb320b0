"""The demo tells one story: what the wallet, the overview, the keys and the log say comes to the same."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from screens.app import GatekeyApp
from screens.console import Console
from screens.sign_in import SignIn
from store.money import show_usd
from store.store import Store
from store.values.usage import LoggedEntry
from tests.harness.consoles import SIZE, Stage
from tests.harness.stores import StillClock
from tui.local_account import LocalAccount
from tui.local_account.demo import BALANCE_MICRO_USD, NAME, PASSWORD, open_demo
from tui.store_location import Options


@pytest.fixture
def demo() -> Iterator[tuple[Store, str]]:
    store, token = open_demo()
    yield store, token
    store.close()


def log(store: Store, token: str) -> list[LoggedEntry]:
    """All of it, from new to old, as the page reads it."""
    entries: list[LoggedEntry] = []
    before: int | None = None
    while True:
        page = store.usage.page(token, before=before)
        entries += page.entries
        before = page.next_before
        if before is None:
            return entries


def test_every_sum_is_that_of_the_log(demo: tuple[Store, str]) -> None:
    store, token = demo
    entries, quota, days = log(store, token), store.quota.state(token), store.usage.days(token, 30)
    spent = sum(logged.entry.cost_micro_usd for logged in entries)
    assert len(entries) > 80
    assert spent > 0
    assert quota.used_micro_usd == spent
    assert quota.held_micro_usd == 0
    assert quota.remaining_micro_usd == 4_200_000
    assert sum(day.cost_micro_usd for day in days) == spent
    assert sum(day.calls for day in days) == len(entries)
    for day in days:
        of_day = [logged.entry.cost_micro_usd for logged in entries if f"{logged.at:%Y-%m-%d}" == day.day]
        assert (sum(of_day), len(of_day)) == (day.cost_micro_usd, day.calls)


def test_the_log_is_in_order(demo: tuple[Store, str]) -> None:
    assert all(newer.at >= older.at for newer, older in pairwise(log(*demo)))


def test_each_key_spent_and_was_used_as_the_log_says(demo: tuple[Store, str]) -> None:
    store, token = demo
    entries = log(store, token)
    keys = store.api_keys.list(token)
    assert {key.name for key in keys} == {logged.entry.api_key_name for logged in entries}
    for key in keys:
        of_key = [logged for logged in entries if logged.entry.api_key_name == key.name]
        assert key.total_spent_micro_usd == sum(logged.entry.cost_micro_usd for logged in of_key)
        assert key.created_at <= of_key[-1].at
        assert key.last_used_at is not None
        assert abs((key.last_used_at - of_key[0].at).total_seconds()) < 60


@asynccontextmanager
async def demo_console() -> AsyncIterator[Stage]:
    app = GatekeyApp(LocalAccount(Options(demo=True)))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        account = app.account
        assert isinstance(account, LocalAccount)
        await account.wait_until_open()
        stage = Stage(app, pilot, account._store, StillClock())
        await stage.settle()
        yield stage


async def test_wallet_and_overview_say_the_same() -> None:
    async with demo_console() as stage:
        account = stage.app.account
        assert isinstance(account, LocalAccount)
        quota = await account.quota()
        left, used = show_usd(quota.remaining_micro_usd), show_usd(quota.used_micro_usd)
        screen = stage.app.screen
        assert isinstance(screen, Console)
        screen.action_open_module("wallet")
        await stage.settle()
        ledger = await account.ledger()
        assert ledger.entries[0].balance_micro_usd == quota.remaining_micro_usd == BALANCE_MICRO_USD
        assert all(stage.says(amount) for amount in (left, used))
        screen.action_open_module("overview")
        await stage.settle()
        assert all(stage.says(amount) for amount in (left, used))


async def test_whoever_signed_out_of_the_demo_is_told_how_to_come_back() -> None:
    async with demo_console() as stage:
        stage.app.action_sign_out()
        await stage.settle()
        assert isinstance(stage.app.screen, SignIn)
        assert stage.says(NAME)
        assert stage.says(PASSWORD)
        await stage.sign_in(NAME, PASSWORD)
        assert isinstance(stage.app.screen, Console)
