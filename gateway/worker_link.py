"""The link between the supervisor and one worker: inherited descriptors, and words of one byte on a socket."""

import os
import socket
from dataclasses import dataclass
from typing import Final, Self

WORKER_VARIABLE: Final = "GATEKEY_WORKER"
"""Environment variable in which a worker finds its descriptors. It is not for people."""
METRICS_DIRECTORY_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable of prometheus-client: the folder through which workers add up their figures."""
READY: Final = b"r"
"""From a worker: it takes requests."""
DRAIN: Final = b"d"
"""To a worker: take no more requests, finish those under way however long they last, and end."""


@dataclass(frozen=True, slots=True)
class WorkerDescriptors:
    """The numbers of the descriptors that a worker inherits."""

    listener: int
    link: int
    locks: int
    metrics: int | None = None
    """The listening socket of the metrics; None without metrics."""

    @property
    def numbers(self) -> tuple[int, ...]:
        shared = (self.listener, self.link, self.locks)
        return shared if self.metrics is None else (*shared, self.metrics)

    def written(self) -> str:
        """The value of `WORKER_VARIABLE`."""
        return ",".join(map(str, self.numbers))

    @classmethod
    def read(cls, text: str) -> Self:
        """The descriptors in a value of `WORKER_VARIABLE`. The processes of this worker inherit none of them."""
        numbers = [int(each) for each in text.split(",")]
        for number in numbers:
            os.set_inheritable(number, False)
        return cls(*numbers)


class WorkerLink:
    """The worker's end of the link."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, word: bytes) -> None:
        """Send a word. A supervisor that has died gets none."""
        try:
            self._socket.send(word)
        except OSError:
            return

    def receive(self) -> bytes | None:
        """The next word; empty once the supervisor has died, None if there is no word yet."""
        try:
            return self._socket.recv(1)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def close(self) -> None:
        self._socket.close()
