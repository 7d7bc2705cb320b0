"""`gatekey serve --workers N`: one supervisor, and N processes that accept on the same socket."""

import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from gateway.listener import address_of, listen
from gateway.log import LOG_LEVELS, log_to_stderr
from gateway.supervisor import Supervisor, WorkerProcess
from gateway.worker_link import METRICS_DIRECTORY_VARIABLE, WORKER_VARIABLE, WorkerDescriptors

LOGGER: Final = logging.getLogger("gatekey")


def serve_with_workers(
    command: Sequence[str], *, count: int, host: str, port: int, metrics: tuple[str, int] | None = None
) -> int:
    """Serve with `count` processes that run `command`, until a signal; returns the exit status.

    `metrics` is as for `gateway.serve.serve`. Raises `CannotListen`.
    """
    log_to_stderr(LOG_LEVELS)
    with ExitStack() as stack:
        listener = stack.enter_context(listen(host, port))
        locks = stack.enter_context(tempfile.TemporaryFile(prefix="gatekey-"))
        measured, folder = None, ""
        if metrics is not None:
            measured = stack.enter_context(listen(*metrics))
            folder = tempfile.mkdtemp(prefix="gatekey-metrics-")
            stack.callback(shutil.rmtree, folder, ignore_errors=True)

        def spawn() -> WorkerProcess:
            return _spawn(command, listener, locks.fileno(), measured, folder)

        def announce() -> None:
            if metrics is not None and measured is not None:
                LOGGER.info("The metrics are at %s/metrics", address_of(measured, metrics[0]))
            LOGGER.info("Gatekey listens on %s with %d workers", address_of(listener, host), count)

        def buried(pid: int) -> None:
            # Gauges of a process that has ended count no more (prometheus-client, multiprocess mode).
            for file in Path(folder).glob(f"gauge_live*_{pid}.db") if folder else ():
                file.unlink(missing_ok=True)

        status = Supervisor(count, spawn, announce, buried).run()
    LOGGER.info("Gatekey has stopped")
    return status


def _spawn(
    command: Sequence[str], listener: socket.socket, locks: int, metrics: socket.socket | None, folder: str
) -> WorkerProcess:
    """A new worker. Raises OSError."""
    ours, theirs = socket.socketpair()
    with ExitStack() as unless_started, theirs:
        unless_started.enter_context(ours)
        descriptors = WorkerDescriptors(
            listener.fileno(), theirs.fileno(), locks, None if metrics is None else metrics.fileno()
        )
        env = {**os.environ, WORKER_VARIABLE: descriptors.written()}
        if folder:
            env[METRICS_DIRECTORY_VARIABLE] = folder
        # A process group of its own: a terminal's signals reach the supervisor, which passes them on.
        process = subprocess.Popen(  # noqa: S603 - the command of this process itself
            command, stdin=subprocess.DEVNULL, env=env, pass_fds=descriptors.numbers, process_group=0
        )
        unless_started.pop_all()
    ours.setblocking(False)
    return WorkerProcess(process, ours, time.monotonic())


def own_command() -> list[str]:
    """The command that runs this program with its arguments once more."""
    return [sys.executable, *sys.orig_argv[1:]]
