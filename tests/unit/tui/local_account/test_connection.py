"""The opening of a store: many may ask for it, and whoever asks may be cancelled."""

import asyncio
import threading

import pytest

from store.errors import StoreUnavailable
from store.store import Store
from tests.harness.stores import make_store
from tui import store_location
from tui.local_account import LocalAccount
from tui.store_location import Options


class SlowOpening:
    """Opens a store in memory once it is let to; the first times it fails, if it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, failures: int = 0) -> None:
        self.began, self.may_open = threading.Event(), threading.Event()
        self.opened: list[Store] = []
        self._failures = failures
        monkeypatch.setattr(store_location, "open_account_store", self._open)

    def _open(self, _options: Options, *, create: bool) -> Store:
        assert create
        self.began.set()
        assert self.may_open.wait(60)
        if self._failures:
            self._failures -= 1
            raise StoreUnavailable
        self.opened.append(make_store())
        return self.opened[-1]


async def begun(account: LocalAccount, slow: SlowOpening) -> "asyncio.Task[bool]":
    """A task that opens the account, whose thread is under way."""
    opener = asyncio.create_task(account.open())
    await asyncio.to_thread(slow.began.wait, 60)
    return opener


@pytest.mark.parametrize("opens_again", [False, True])
async def test_an_opener_that_was_cancelled_leaves_the_account_open(
    monkeypatch: pytest.MonkeyPatch, opens_again: bool
) -> None:
    slow, account = SlowOpening(monkeypatch), LocalAccount(Options())
    opener = await begun(account, slow)
    opener.cancel()
    await asyncio.gather(opener, return_exceptions=True)
    assert not account.is_open
    waiting = asyncio.gather(account.wait_until_open(), *([account.open()] if opens_again else []))
    slow.may_open.set()
    await asyncio.wait_for(waiting, 60)
    assert account.is_open
    assert len(slow.opened) == 1
    await account.close()


async def test_an_account_is_open_once_all_of_the_opening_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """`is_open` stays false while the thread has the store but has not ended."""
    slow, account = SlowOpening(monkeypatch), LocalAccount(Options())
    opener = await begun(account, slow)
    account._opened = early = make_store()
    assert not account.is_open
    slow.may_open.set()
    assert await opener
    assert account.is_open
    await asyncio.wait_for(account.wait_until_open(), 60)
    await account.close()
    early.close()


async def test_an_opening_that_failed_is_tried_again_by_whoever_waits(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    slow, account = SlowOpening(monkeypatch, failures=2), LocalAccount(Options())
    early = asyncio.create_task(account.wait_until_open())
    opener = await begun(account, slow)
    opener.cancel()
    slow.may_open.set()
    with pytest.raises(StoreUnavailable):
        await account.open()
    with pytest.raises(StoreUnavailable):
        await account.wait_until_open()
    assert not account.is_open
    await account.wait_until_open()
    await early
    assert account.is_open
    assert not caplog.records, "a failure that nobody waited for is no error of the event loop"
    await account.close()
