"""One session between a channel and a process: order, back pressure and limits, with pipes for a process."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, cast

import asyncssh
import pytest

from ssh import session as session_module
from ssh.consoles import Console, Streams
from ssh.session import KILLED_COMMAND, TOO_SLOW, ConsoleSession
from tests.harness.waiting import PATIENCE

STDERR = asyncssh.EXTENDED_DATA_STDERR


class Channel:
    """A client's channel: what it was sent, in order, and how much of it the client has no room for."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, object]] = []
        self.waiting = 0
        self.is_reading = True
        self.limits: list[int] = []

    def write(self, data: bytes, datatype: int | None = None) -> None:
        self.sent.append(("stderr" if datatype == STDERR else "stdout", data))

    def write_stderr(self, data: bytes) -> None:
        self.write(data, STDERR)

    def exit(self, status: int) -> None:
        self.sent.append(("exit", status))

    def exit_with_signal(self, name: str, msg: str = "") -> None:
        self.sent.append(("signal", name))

    def is_closing(self) -> bool:
        return any(kind in ("exit", "signal") for kind, _ in self.sent)

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def set_write_buffer_limits(self, high: int) -> None:
        self.limits.append(high)

    def pause_reading(self) -> None:
        self.is_reading = False

    def resume_reading(self) -> None:
        self.is_reading = True

    def abort(self) -> None:
        self.sent.append(("abort", None))


class Process:
    """The far ends of a command's pipes, and the console that the session is given for them."""

    def __init__(self) -> None:
        self.stdin, near_input = os.pipe()
        near_output, self.stdout = os.pipe()
        near_error, self.stderr = os.pipe()
        for near in (near_input, near_output, near_error):
            os.set_blocking(near, False)
        self.streams = Streams(near_input, (near_output, near_error))
        self.finished: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.was_hung_up = asyncio.Event()

    def hang_up(self) -> None:
        self.was_hung_up.set()

    def close_outputs(self) -> None:
        for descriptor in self.streams.outputs:
            os.close(descriptor)

    def end(self, status: int) -> None:
        for descriptor in (self.stdin, self.stdout, self.stderr):
            with suppress(OSError):
                os.close(descriptor)
        self.finished.set_result(status)


def in_session(test: "Callable[[ConsoleSession, Channel, Process], Coroutine[Any, Any, None]]") -> None:
    """Run `test` with a session whose client has asked for a command."""

    async def run() -> None:
        process, channel = Process(), Channel()
        session = ConsoleSession(lambda *_: cast("Console", process), started=lambda: None, closed=lambda: None)
        session.connection_made(cast("asyncssh.SSHServerChannel[bytes]", channel))
        session.exec_requested("help")
        session.session_started()
        async with asyncio.timeout(PATIENCE):
            await test(session, channel, process)
        session.connection_lost(None)

    asyncio.run(run())


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until a condition holds."""
    while not condition():  # noqa: ASYNC110 - nothing but the turns of the loop is waited for
        await asyncio.sleep(0)


def test_the_exit_status_follows_the_last_output() -> None:
    async def check(_: ConsoleSession, channel: Channel, process: Process) -> None:
        os.write(process.stdout, b"\x00\xffdata")
        os.write(process.stderr, b"talk")
        process.end(3)
        await until(channel.is_closing)
        assert sorted(channel.sent[:-1], key=str) == [("stderr", b"talk"), ("stdout", b"\x00\xffdata")]
        assert channel.sent[-1] == ("exit", 3)

    in_session(check)


def test_the_exit_status_waits_for_a_client_that_has_no_room() -> None:
    async def check(session: ConsoleSession, channel: Channel, process: Process) -> None:
        channel.waiting = 1
        process.end(0)
        await until(lambda: channel.limits)
        assert not channel.is_closing()
        channel.waiting = 0
        session.resume_writing()
        assert channel.sent == [("exit", 0)]

    in_session(check)


@pytest.mark.parametrize("who", ["channel", "connection"])
def test_output_stays_in_the_pipe_while_there_is_no_room(who: str) -> None:
    async def check(session: ConsoleSession, channel: Channel, process: Process) -> None:
        pause, resume = {
            "channel": (session.pause_writing, session.resume_writing),
            "connection": (session.hold, session.let_go),
        }[who]
        pause()
        os.write(process.stdout, b"data")
        for _ in range(100):
            await asyncio.sleep(0)
        assert channel.sent == []
        resume()
        await until(lambda: channel.sent)
        assert channel.sent == [("stdout", b"data")]
        process.end(0)
        await until(channel.is_closing)

    in_session(check)


def test_input_waits_for_the_command_and_its_end_comes_last() -> None:
    async def check(session: ConsoleSession, channel: Channel, process: Process) -> None:
        typed = bytes(range(256)) * 4096
        session.data_received(typed, None)
        session.eof_received()
        assert not channel.is_reading
        read = b""
        while piece := await asyncio.to_thread(os.read, process.stdin, 65_536):
            read += piece
        assert read == typed
        assert channel.is_reading
        assert not process.was_hung_up.is_set()
        process.end(0)
        await until(channel.is_closing)

    in_session(check)


def test_a_command_that_takes_too_long_is_ended_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "COMMAND_LIMIT_S", 0.0)

    async def check(_: ConsoleSession, channel: Channel, process: Process) -> None:
        await process.was_hung_up.wait()
        process.end(-1)
        await until(channel.is_closing)
        assert channel.sent == [("stderr", f"gatekey: {TOO_SLOW}\n".encode()), ("signal", "HUP")]

    in_session(check)


def test_a_command_that_is_killed_is_said_on_standard_error() -> None:
    async def check(_: ConsoleSession, channel: Channel, process: Process) -> None:
        process.end(-9)
        await until(channel.is_closing)
        assert channel.sent == [("stderr", f"gatekey: {KILLED_COMMAND}\n".encode()), ("signal", "KILL")]

    in_session(check)


def test_a_client_that_reads_nothing_to_the_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "DRAIN_TIMEOUT_S", 0.0)

    async def check(_: ConsoleSession, channel: Channel, process: Process) -> None:
        channel.waiting = 1
        process.end(0)
        await until(lambda: ("abort", None) in channel.sent)

    in_session(check)
