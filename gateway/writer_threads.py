"""Threads that take work from one queue.

`ThreadPoolExecutor` makes a future of each piece of work, and takes three locks for it. Here nobody waits for a future:
the work tells its end itself. Handing it over takes a third less time, which each relayed call needs twice.
"""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Final, TypeAlias

Work: TypeAlias = Callable[[], None]
"""It raises nothing."""

_NAME: Final = "gatekey-write"


class WriterThreads:
    """Up to `most` threads, started when they are needed. One thread calls the methods."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._threads: list[Thread] = []

    def submit(self, work: Work, *, under_way: int) -> None:
        """Run `work` in a thread; it is one of as many pieces of work that are `under_way`."""
        if len(self._threads) < min(under_way, self._most):
            # A process that ends without `shut_down` does not wait for them.
            thread = Thread(target=self._run, name=f"{_NAME}_{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._queue.put(work)

    def shut_down(self) -> None:
        """Wait until all work is done, and end the threads."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            work()
