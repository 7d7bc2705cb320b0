"""A counter in front of a PostgreSQL server: the statements, round trips and transactions that go through its socket.

It reads the protocol's messages (PostgreSQL manual, 55), so it counts what any driver sends, in whatever way.
"""

import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.harness.postgres import PostgresServer

_NAME: Final = ".s.PGSQL.5432"
_CHUNK: Final = 1 << 16
_STATEMENTS: Final = (b"E", b"Q")
"""Execute, and a simple query."""
_READY: Final = b"Z"
"""ReadyForQuery: the answer to all that was sent up to a Sync, or to a simple query."""
_IDLE: Final = b"I"
"""In ReadyForQuery: no transaction is open."""


@dataclass
class Counter:
    """The sums over all connections."""

    statements: int = 0
    round_trips: int = 0
    transactions: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def sent(self, kind: bytes, _body: bytes) -> None:
        if kind in _STATEMENTS:
            with self.lock:
                self.statements += 1

    def answered(self, kind: bytes, body: bytes) -> None:
        if kind == _READY:
            with self.lock:
                self.round_trips += 1
                self.transactions += body == _IDLE


@contextmanager
def counted(server: PostgresServer) -> Iterator[tuple[Callable[[str], str], Counter]]:
    """A socket that leads to `server`: what turns a URL of it into one through the counter, and the counter."""
    counter = Counter()
    with tempfile.TemporaryDirectory(prefix="gatekey-count-") as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/{_NAME}")
        listener.listen(64)
        threading.Thread(target=_accept, args=(listener, server.folder, counter), daemon=True).start()
        yield lambda url: url.replace(str(server.folder), folder), counter
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, server: Path, counter: Counter) -> None:
    with suppress(OSError):  # it was closed
        while True:
            client, _ = listener.accept()
            behind = socket.socket(socket.AF_UNIX)
            behind.connect(str(server / _NAME))
            for source, target, note, has_start in (
                (client, behind, counter.sent, True),
                (behind, client, counter.answered, False),
            ):
                threading.Thread(target=_pass_on, args=(source, target, note, has_start), daemon=True).start()


def _pass_on(
    source: socket.socket, target: socket.socket, note: Callable[[bytes, bytes], None], has_start: bool
) -> None:
    """Pass on what `source` says and note each message. The client's first one has no kind."""
    waiting = b"\0" if has_start else b""
    with suppress(OSError), target:
        while piece := source.recv(_CHUNK):
            waiting += piece
            while len(waiting) >= 5 and len(waiting) > (length := int.from_bytes(waiting[1:5])):
                note(waiting[:1], waiting[5 : length + 1])
                waiting = waiting[length + 1 :]
            target.sendall(piece)
