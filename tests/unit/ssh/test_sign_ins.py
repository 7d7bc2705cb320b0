"""Sign-ins of the front process leave no session that nobody holds."""

import asyncio
import threading

import pytest

from ssh.authentication import MAX_ANSWERS, MAX_KEYS, Authentication
from ssh.sign_ins import SignIns
from store.audit_tags import Tag
from store.errors import DatabaseBusy
from store.store import Store
from store.values.sign_in import SignedIn
from tests.harness.people import contents, tags
from tests.harness.stores import PASSWORD, add_account

ADDRESS = "192.0.2.1"


@pytest.fixture
def alone(memory_store: Store) -> Store:
    add_account(memory_store)
    return memory_store


def test_a_sign_in_whose_client_has_gone_is_ended(alone: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread cannot be stopped: it opens the session after the task was cancelled."""
    has_begun, may_end = threading.Event(), threading.Event()
    sign_in = alone.sign_in.with_password

    def slow(name: str, password: str, *, source: str, peer: str = "") -> object:
        has_begun.set()
        assert may_end.wait(60)
        return sign_in(name, password, source=source, peer=peer)

    monkeypatch.setattr(alone.sign_in, "with_password", slow)

    async def leave() -> None:
        sign_ins = SignIns(alone)
        task = asyncio.create_task(sign_ins.with_password("alice", PASSWORD, ADDRESS))
        await asyncio.to_thread(has_begun.wait, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        may_end.set()
        await sign_ins.close()

    asyncio.run(leave())
    assert contents(alone)["sessions"] == []
    assert tags(alone, alone.accounts.find("alice").id)[-2:] == [Tag.SIGNED_IN, Tag.SIGNED_OUT]


def test_a_password_opens_a_session_from_that_address(alone: Store) -> None:
    async def enter() -> object:
        sign_ins = SignIns(alone)
        authentication = Authentication(sign_ins, ADDRESS)
        await authentication.begin()
        assert authentication.offers_sign_in
        assert await authentication.next_challenge("alice", [PASSWORD]) is True
        answer = authentication.answer
        await sign_ins.close()
        return answer

    answer = asyncio.run(enter())
    assert isinstance(answer, SignedIn)
    assert alone.sessions.list(answer.token)[0].source == f"ssh {ADDRESS}"


async def test_too_many_keys_and_too_many_answers_end_the_connection(alone: Store) -> None:
    import asyncssh

    sign_ins = SignIns(alone)
    authentication = Authentication(sign_ins, ADDRESS)
    for _ in range(MAX_KEYS):
        assert not await authentication.is_known("SHA256:none")
    with pytest.raises(asyncssh.PermissionDenied):
        await authentication.is_known("SHA256:none")
    for _ in range(MAX_ANSWERS):
        assert await authentication.next_challenge("alice", ["wrong"]) is not True
        authentication.first_challenge()
    with pytest.raises(asyncssh.PermissionDenied):
        await authentication.next_challenge("alice", ["wrong"])
    await sign_ins.close()


def test_without_the_database_nothing_is_offered(alone: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> bool:
        raise DatabaseBusy

    monkeypatch.setattr(alone.site, "flag", busy)
    monkeypatch.setattr(alone.ssh_keys, "is_registered", busy)

    async def ask() -> tuple[bool, bool]:
        sign_ins = SignIns(alone)
        authentication = Authentication(sign_ins, ADDRESS)
        await authentication.begin()
        known = await authentication.is_known("SHA256:none")
        await sign_ins.close()
        return authentication.offers_sign_in, known

    assert asyncio.run(ask()) == (False, False)
