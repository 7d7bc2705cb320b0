"""Lines of an event loop leave together, warnings at once, and none of them is lost at the end."""

import asyncio
import io
import logging
import subprocess
import sys
from collections.abc import Iterator
from select import PIPE_BUF
from typing import Final

import pytest

from gateway import log
from gateway.log import BatchingHandler

PATIENCE: Final = 30.0


class Stream(io.StringIO):
    """Counts the writes, and tells of each."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.pieces: list[str] = []
        self.has_written = asyncio.Event()

    def write(self, text: str) -> int:
        self.writes += 1
        self.pieces.append(text)
        self.has_written.set()
        return super().write(text)


@pytest.fixture
def stream() -> Stream:
    return Stream()


@pytest.fixture
def logger(stream: Stream) -> Iterator[logging.Logger]:
    logger = logging.getLogger("gatekey.test_log")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler := BatchingHandler(stream))
    yield logger
    logger.removeHandler(handler)
    handler.close()


async def written(stream: Stream, lines: int) -> list[str]:
    async with asyncio.timeout(PATIENCE):
        while len(stream.getvalue().splitlines()) < lines:
            stream.has_written.clear()
            await stream.has_written.wait()
    return stream.getvalue().splitlines()


async def test_lines_of_an_event_loop_are_written_together(stream: Stream, logger: logging.Logger) -> None:
    for number in range(3):
        logger.info("line %d", number)
        await asyncio.sleep(0)
    assert stream.writes == 0
    assert await written(stream, 3) == ["line 0", "line 1", "line 2"]
    assert stream.writes == 1
    logger.info("later")
    assert (await written(stream, 4))[3] == "later"


async def test_a_warning_is_written_at_once_after_the_lines_before_it(stream: Stream, logger: logging.Logger) -> None:
    logger.info("before")
    logger.warning("now")
    assert stream.getvalue().splitlines() == ["before", "now"]


def test_outside_of_an_event_loop_each_line_is_written_at_once(stream: Stream, logger: logging.Logger) -> None:
    logger.info("now")
    assert stream.getvalue() == "now\n"


def test_another_event_loop_writes_what_an_ended_one_left(stream: Stream, logger: logging.Logger) -> None:
    async def note(text: str, lines: int) -> None:
        logger.info(text)
        if lines:
            await written(stream, lines)

    asyncio.run(note("left", 0))
    assert stream.getvalue() == ""
    asyncio.run(note("later", 2))
    assert stream.getvalue().splitlines() == ["left", "later"]


async def test_a_line_that_cannot_be_formatted_takes_no_other_with_it(
    stream: Stream, logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logger.info("one")
    logger.info("%d", "not a number")
    logger.info("two")
    logger.handlers[0].flush()
    assert stream.getvalue().splitlines() == ["one", "two"]


async def test_a_batch_is_written_in_pieces_of_whole_lines_that_a_pipe_takes_at_once(
    stream: Stream, logger: logging.Logger
) -> None:
    for number in range(300):
        logger.info("line %d %s", number, "\N{SNOWMAN}" * 20)
    logger.info("x" * PIPE_BUF)
    logger.info("last")
    logger.handlers[0].flush()
    assert len(stream.getvalue().splitlines()) == 302
    *pieces, long, last = stream.pieces
    assert all(piece.endswith("\n") and len(piece.encode()) <= PIPE_BUF for piece in pieces)
    assert len(pieces) == stream.writes - 2 > 1
    assert (len(long), last) == (PIPE_BUF + 1, "last\n")


async def test_a_piece_that_cannot_be_written_takes_no_other_with_it(
    stream: Stream, logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(300):
        logger.info("line %d %s", number, "x" * 60)
    write, failures = stream.write, iter([BlockingIOError()])

    def fail_once(text: str) -> int:
        for failure in failures:
            raise failure
        return write(text)

    monkeypatch.setattr(stream, "write", fail_once)
    logger.handlers[0].flush()
    lines = stream.getvalue().splitlines()
    assert lines[-1].startswith("line 299 ")
    assert 200 < len(lines) < 300


async def test_a_log_that_is_closed_stops_nobody(logger: logging.Logger, stream: Stream) -> None:
    logger.info("one")
    stream.close()
    handler = logger.handlers[0]
    assert isinstance(handler, BatchingHandler)
    handler.flush()


@pytest.mark.parametrize("end", ["", "from tui.fast_exit import end_process; end_process(0)"])
def test_lines_that_wait_at_the_end_of_the_program_are_written(end: str) -> None:
    program = f"""
import asyncio, logging
from {log.__name__} import log_to_stderr
log_to_stderr({{"gatekey": logging.INFO}})
async def main():
    logging.getLogger("gatekey").info("the last")
asyncio.run(main())
{end}
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert run.stderr.endswith("INFO the last\n")
