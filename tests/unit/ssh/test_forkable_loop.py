"""An event loop goes on in forked processes, each with what wakes it for itself."""

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
PROGRAM: Final = """
import asyncio, contextvars, os, socket
from ssh.forkable_loop import ForkableLoop

NUMBER = contextvars.ContextVar("number", default=0)
forked = asyncio.Event()
here = os.getpid()


async def main():
    NUMBER.set(7)
    waits = asyncio.create_task(forked.wait())
    loop = asyncio.get_running_loop()
    loop.call_soon(fork, loop, context=contextvars.Context())
    await waits
    assert NUMBER.get() == 7 and os.getpid() != here
    # A thread wakes the loop through its pair of sockets.
    print("thread", await asyncio.to_thread(os.getppid) == here, flush=True)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.sendall(b"read")
        print((await loop.sock_recv(ours, 9)).decode(), flush=True)
    print("waker", os.fstat(loop._ssock.fileno()).st_ino not in taken, flush=True)


def fork(loop):
    taken.append(os.fstat(loop._ssock.fileno()).st_ino)
    for turn in range(3):
        pid = os.fork()
        if pid == 0:
            break
        assert os.waitpid(pid, 0)[1] == 0
    else:
        print("over", flush=True)
        os._exit(0)
    if turn == 2:
        # Another loop, in the middle of this one.
        print(asyncio.run(asyncio.sleep(0, "another loop")), flush=True)
        os._exit(0)
    loop.go_on_in_child()
    forked.set()


taken = []
with asyncio.Runner(loop_factory=ForkableLoop) as runner:
    runner.run(main())
"""
ONE_CHILD: Final = ["thread True", "read", "waker True"]


def test_each_child_goes_on_with_the_loop_or_runs_another() -> None:
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines() == [*ONE_CHILD, *ONE_CHILD, "another loop", "over"]
    assert finished.stderr == ""
