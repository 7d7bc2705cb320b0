"""Work runs in as many threads as are needed, and all of it before they end."""

import gc
import threading
from functools import partial
from queue import SimpleQueue

from gateway.writer_threads import WriterThreads

PATIENCE = 60.0


def names_of(threads: WriterThreads, number: int) -> set[str]:
    """The names of the threads in which `number` pieces of work ran side by side."""
    met, names = threading.Barrier(number), SimpleQueue[str]()

    def work() -> None:
        met.wait(PATIENCE)
        names.put(threading.current_thread().name)

    for under_way in range(1, number + 1):
        threads.submit(work, under_way=under_way)
    return {names.get(timeout=PATIENCE) for _ in range(number)}


def test_a_thread_is_started_when_it_is_needed() -> None:
    threads = WriterThreads(3)
    assert names_of(threads, 1) == {"gatekey-write_0"}
    assert names_of(threads, 3) == {"gatekey-write_0", "gatekey-write_1", "gatekey-write_2"}
    threads.shut_down()


def test_all_work_is_done_in_its_order_before_the_threads_end() -> None:
    before = set(threading.enumerate())
    threads, may_begin, done = WriterThreads(1), threading.Event(), list[int]()

    def wait() -> None:
        assert may_begin.wait(PATIENCE)

    threads.submit(wait, under_way=1)
    for number in range(50):
        threads.submit(partial(done.append, number), under_way=number + 2)
    may_begin.set()
    threads.shut_down()
    assert done == list(range(50))
    assert set(threading.enumerate()) <= before


def test_the_threads_end_with_what_has_forgotten_to_end_them() -> None:
    before, threads = set(threading.enumerate()), WriterThreads(2)
    names_of(threads, 2)
    started = set(threading.enumerate()) - before
    assert len(started) == 2
    del threads
    gc.collect()
    for thread in started:
        thread.join(PATIENCE)
        assert not thread.is_alive()
