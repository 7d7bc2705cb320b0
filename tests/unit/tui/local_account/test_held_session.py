"""The session a console holds: none is left that nobody holds."""

import asyncio
import threading
from typing import Any

import pytest

from store.accounts import AccountInfo
from store.errors import DatabaseBusy
from store.values.sign_in import SignedIn
from tests.harness.stores import PASSWORD, make_store, store_with_account
from tests.harness.stores import sign_in as new_token
from tui.local_account import LocalAccount
from tui.local_account.held_session import HeldSession
from tui.store_location import Options


class Ends:
    """Notes what is ended; refuses as often as it is told to."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.ended: list[str] = []

    def __call__(self, token: str) -> None:
        if self.refusals:
            self.refusals -= 1
            raise DatabaseBusy
        self.ended.append(token)


def test_what_could_not_be_ended_is_ended_the_next_time() -> None:
    session, ends = HeldSession("one"), Ends(refusals=2)
    for _ in range(2):
        with pytest.raises(DatabaseBusy):
            session.end(ends)
        assert session.token == "", "nobody acts with it any more"
        assert not session.is_empty
    session.token = "two"
    session.end(ends)
    assert sorted(ends.ended) == ["one", "two"]
    assert session.is_empty
    session.end(ends)
    assert len(ends.ended) == 2


def test_a_session_that_another_takes_the_place_of_is_ended_too() -> None:
    session, ends = HeldSession("one"), Ends()
    session.enter(lambda: signed_in("two"))
    assert session.token == "two"
    session.end(ends)
    assert sorted(ends.ended) == ["one", "two"]


def test_leaving_waits_for_a_sign_in_under_way() -> None:
    """Whoever closes the window while the password is checked leaves no session behind."""
    session, ends = HeldSession(), Ends()
    is_checked, begun = threading.Event(), threading.Event()

    def slowly() -> SignedIn:
        begun.set()
        assert is_checked.wait(60)
        return signed_in("late")

    entering = threading.Thread(target=session.enter, args=(slowly,))
    entering.start()
    assert begun.wait(60)
    assert not session.is_empty
    leaving = threading.Thread(target=session.end, args=(ends,))
    leaving.start()
    is_checked.set()
    entering.join(60)
    leaving.join(60)
    assert ends.ended == ["late"]


async def test_an_account_left_while_the_database_did_not_answer_is_left_at_the_next_sign_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = store_with_account()
    account = LocalAccount(Options(), opened=store, token=new_token(store))
    watcher = new_token(store)
    with monkeypatch.context() as patch:
        patch.setattr(store.sessions, "end", Ends(refusals=1))
        with pytest.raises(DatabaseBusy):
            await account.sign_out()
    assert len(store.sessions.list(watcher)) == 2
    await account.sign_out()
    assert len(store.sessions.list(watcher)) == 1
    store.close()


async def test_leaving_waits_for_the_first_account_that_is_being_created(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task that asked may be cancelled meanwhile; the session of the new account is ended all the same."""
    store = make_store()
    account = LocalAccount(Options(), opened=store)
    create, begun, may_go_on = store.accounts.create, threading.Event(), threading.Event()

    def slowly(*arguments: Any, **options: Any) -> AccountInfo:
        begun.set()
        assert may_go_on.wait(60)
        return create(*arguments, **options)

    monkeypatch.setattr(store.accounts, "create", slowly)
    creating = asyncio.create_task(account.create_account("alice", "alice@example.com", PASSWORD))
    assert await asyncio.to_thread(begun.wait, 60)
    creating.cancel()
    assert not account._session.is_empty, "so that signing out waits"
    leaving = asyncio.create_task(account.sign_out())
    may_go_on.set()
    await leaving
    assert [session.is_current for session in store.sessions.list(new_token(store))] == [True]
    store.close()


def signed_in(token: str) -> SignedIn:
    return SignedIn(token, "alice")
