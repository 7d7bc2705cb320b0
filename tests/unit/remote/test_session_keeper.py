"""The session of one account, shared by two programs through its file."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from remote.kept_sessions import KeptSessions, KeptState
from remote.session_keeper import SessionKeeper
from remote.sessions import BearerSession
from store.errors import ServerUnreachable, SessionEnded
from tests.harness.scripted_server import aug_server, client_of
from tests.harness.stores import StillClock, make_ring

SERVER = "https://api.example.com"


def session(number: int) -> BearerSession:
    until = datetime(2026, 1, 27, 12, tzinfo=UTC) + timedelta(minutes=number)
    return BearerSession(2, "sid-1", f"access-{number}", f"refresh-{number}", until)


def kept(tmp_path: Path) -> KeptSessions:
    return KeptSessions(tmp_path / "remote", make_ring(), random.Random(1))


class Server:
    """Turns a refresh cookie over once, and ends the session if an old one is used again."""

    def __init__(self) -> None:
        self.number = 1
        self.is_ended = False

    async def renew(self, stale: BearerSession) -> BearerSession:
        await asyncio.sleep(0)
        if stale.refresh_cookie != f"refresh-{self.number}":
            self.is_ended = True
            raise SessionEnded
        self.number += 1
        return session(self.number)


async def test_two_programs_refresh_the_same_session_one_after_the_other(tmp_path: Path) -> None:
    server = Server()
    one, other = (SessionKeeper(SERVER, kept(tmp_path)) for _ in range(2))
    await one.open("alice", session(1))
    assert await other.resume("alice")
    for _ in range(3):
        stale = session(server.number)
        await asyncio.gather(one.refresh(stale, server.renew), other.refresh(stale, server.renew))
        assert not server.is_ended
        assert one.credential == other.credential == session(server.number)
    assert server.number == 4


async def test_without_the_file_between_them_the_second_one_would_end_it(tmp_path: Path) -> None:
    """The control of the test above."""
    server = Server()
    one, other = SessionKeeper(SERVER), SessionKeeper(SERVER)
    for keeper in (one, other):
        await keeper.open("alice", session(1))
    await one.refresh(session(1), server.renew)
    with pytest.raises(SessionEnded):
        await other.refresh(session(1), server.renew)
    assert server.is_ended


async def test_a_failed_refresh_keeps_the_session_for_another_try(tmp_path: Path) -> None:
    keeper = SessionKeeper(SERVER, kept(tmp_path))
    await keeper.open("alice", session(1))

    async def fail(_: BearerSession) -> BearerSession:
        raise ServerUnreachable

    with pytest.raises(ServerUnreachable):
        await keeper.refresh(session(1), fail)
    assert keeper.credential == session(1)
    with kept(tmp_path).locked(SERVER, "alice") as is_free:
        assert is_free


async def test_who_signs_out_here_has_signed_out_on_the_disk_too(tmp_path: Path) -> None:
    keeper = SessionKeeper(SERVER, kept(tmp_path))
    await keeper.open("alice", session(1))
    await keeper.end(forget=True)
    assert kept(tmp_path).all() == []
    with pytest.raises(SessionEnded):
        await keeper.refresh(session(1), Server().renew)


async def test_what_is_owed_outlives_the_session_that_owes_it(tmp_path: Path) -> None:
    keeper = SessionKeeper(SERVER, kept(tmp_path))
    await keeper.open("alice", session(1))
    await keeper.owe({"language": "en"})
    await keeper.end(forget=False)
    later = SessionKeeper(SERVER, kept(tmp_path))
    await later.open("alice", session(2))
    assert later.owed == {"language": "en"}
    await later.owe(None)
    assert kept(tmp_path).load(SERVER, "alice").owed is None  # type: ignore[union-attr]


async def test_the_fields_of_channels_outlive_a_session_that_ended_and_not_one_that_was_signed_out(
    tmp_path: Path,
) -> None:
    keeper = SessionKeeper(SERVER, kept(tmp_path))
    await keeper.open("alice", session(1))
    await keeper.keep_channels({"gotify_token": "t"})
    await keeper.end(forget=False)
    later = SessionKeeper(SERVER, kept(tmp_path))
    await later.open("alice", session(2))
    assert later.channels == {"gotify_token": "t"}
    await later.open("bob", session(3))
    assert later.channels is None, "they are alice's"
    again = SessionKeeper(SERVER, kept(tmp_path))
    assert await again.resume("alice"), "bob's session changed nothing of hers"
    assert again.channels == {"gotify_token": "t"}
    await again.end(forget=True)
    assert again.channels is None
    assert not await SessionKeeper(SERVER, kept(tmp_path)).resume("alice")


async def test_an_end_leaves_a_later_session_of_another_program_alone(tmp_path: Path) -> None:
    mine, other = SessionKeeper(SERVER, kept(tmp_path)), SessionKeeper(SERVER, kept(tmp_path))
    await mine.open("alice", session(1))
    await mine.keep_channels({"gotify_token": "t"})
    await other.open("alice", session(2))
    await mine.end(forget=False)
    assert kept(tmp_path).state(SERVER, "alice") is KeptState.KEPT
    assert await SessionKeeper(SERVER, kept(tmp_path)).resume("alice")
    await other.end(forget=False)
    assert kept(tmp_path).state(SERVER, "alice") is KeptState.ENDED
    assert not await SessionKeeper(SERVER, kept(tmp_path)).resume("alice")


async def test_a_session_is_taken_up_by_a_later_program(tmp_path: Path) -> None:
    clock = StillClock()
    await client_of(aug_server(), clock=clock, kept=kept(tmp_path)).sign_in("alice", "x")
    later = client_of(aug_server(), clock=clock, kept=kept(tmp_path))
    assert not await later.resume("bob")
    assert not later.is_signed_in
    assert await later.resume("alice")
    assert (await later.account()).name == "alice"
    await later.sign_out()
    assert kept(tmp_path).all() == []
