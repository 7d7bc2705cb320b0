"""Threads that take work from one queue.

`ThreadPoolExecutor` makes a future of each piece of work, and takes three locks for it. Here nobody waits for a future:
the work tells its end itself. Handing it over takes a third less time, which each relayed call needs twice.
"""

import weakref
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import TypeAlias

Work: TypeAlias = Callable[[], None]
"""It raises nothing."""


class WriterThreads:
    """Up to `most` threads, started when they are needed. One thread calls the methods."""

    def __init__(self, most: int, name: str = "gatekey-write") -> None:
        self._most = most
        self._name = name
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._threads: list[Thread] = []
        # Without `shut_down` the threads end with this object, which they do not hold.
        self._end = weakref.finalize(self, self._queue.put, None)

    def submit(self, work: Work, *, under_way: int) -> None:
        """Run `work` in a thread; it is one of as many pieces of work that are `under_way`.

        Raises RuntimeError if not even one thread can be started.
        """
        if len(self._threads) < min(under_way, self._most):
            # A process that ends without `shut_down` does not wait for them.
            name = f"{self._name}_{len(self._threads)}"
            thread = Thread(target=_run, args=(self._queue,), name=name, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                if not self._threads:
                    raise
                # The system has no further thread: those that there are do the work.
            else:
                self._threads.append(thread)
        self._queue.put(work)

    def shut_down(self) -> None:
        """Wait until all work is done, and end the threads."""
        self._end()
        for thread in self._threads:
            thread.join()


def _run(queue: SimpleQueue[Work | None]) -> None:
    while (work := queue.get()) is not None:
        work()
        del work  # it may hold what ends the threads
    queue.put(None)  # for the next thread
