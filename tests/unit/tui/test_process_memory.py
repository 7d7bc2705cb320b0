"""The C library's memory: one arena for all threads, and what is free goes back."""

import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="glibc")

THREADS = """
    import ctypes, threading
    from tui.process_memory import share_one_arena
    {first}
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    threads = [threading.Thread(target=libc.malloc, args=(2000,)) for _ in range(4)]
    barrier = threading.Barrier(5)

    def take():
        barrier.wait()
        libc.malloc(2000)
        barrier.wait()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    barrier.wait()
    barrier.wait()
    for thread in threads:
        thread.join()
    libc.malloc_stats()
"""


def arenas(first: str) -> int:
    """The arenas of a process in which four threads have taken memory after `first`."""
    command = [sys.executable, "-c", textwrap.dedent(THREADS.format(first=first))]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stderr
    return told.count("Arena ")


def test_threads_share_one_arena() -> None:
    assert arenas("share_one_arena()") == 1
    assert arenas("pass") > 1


def test_what_is_free_goes_back() -> None:
    program = """
        import ctypes
        from pathlib import Path
        from tui.process_memory import give_back

        libc = ctypes.CDLL(None)
        libc.malloc.restype = ctypes.c_void_p
        libc.free.argtypes = [ctypes.c_void_p]

        def resident():
            return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

        blocks = [libc.malloc(20_000) for _ in range(1000)]
        for block in blocks:
            ctypes.memset(block, 1, 20_000)
        for block in blocks[:-1]:
            libc.free(block)
        before = resident()
        give_back()
        print(before - resident())
    """
    answer = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(answer.stdout) > 10_000_000
