"""Names that take long to resolve: nobody else waits for them, and neither does the end of the process."""

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any, Final

import pytest

from gateway.connect import system_resolver

PATIENCE: Final = 20.0
MANY: Final = 40
"""More than asyncio has threads of its own on most machines."""


class SlowNames:
    """A resolver of the system that answers for `slow` names when it is let."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer = threading.Event()
        self._real = socket.getaddrinfo

    def __call__(self, host: Any, *rest: Any, **more: Any) -> Any:
        self.asked.append(str(host))
        if "slow" in str(host):
            self.answer.wait(PATIENCE)
            raise socket.gaierror(socket.EAI_AGAIN, "slow")
        return self._real("127.0.0.1", *rest, **more)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowNames]:
    names = SlowNames()
    monkeypatch.setattr(socket, "getaddrinfo", names)
    yield names
    names.answer.set()


async def given_up(host: str) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await system_resolver(host, 443)


async def test_slow_names_kept_no_other_work_waiting(names: SlowNames) -> None:
    await asyncio.gather(*(given_up(f"slow{number}.test") for number in range(MANY)))
    async with asyncio.timeout(PATIENCE / 4):
        assert await asyncio.to_thread(lambda: 7) == 7


async def test_slow_names_kept_no_other_name_waiting(names: SlowNames) -> None:
    await asyncio.gather(*(given_up(f"slow{number}.test") for number in range(MANY)))
    async with asyncio.timeout(PATIENCE / 4):
        assert await system_resolver("quick.test", 443) == ["127.0.0.1"]


async def test_a_name_without_an_address_was_an_error_of_the_system(names: SlowNames) -> None:
    names.answer.set()
    with pytest.raises(socket.gaierror):
        await system_resolver("slow.test", 443)


_LEFT: Final = """
import asyncio, contextlib, socket, time
socket.getaddrinfo = lambda *_, **__: time.sleep(60)
from gateway.connect import system_resolver
async def main():
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.1):
            await system_resolver("slow.test", 443)
asyncio.run(main())
"""


def test_the_end_of_the_process_did_not_wait_for_a_name() -> None:
    subprocess.run([sys.executable, "-c", _LEFT], check=True, timeout=50)
