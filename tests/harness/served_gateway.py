"""`gatekey serve` as installed: processes of their own in front of one database."""

import re
import signal
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypedDict, Unpack

from store.at_rest import KeyRing
from tests.harness.inherited_signals import signals_heard

GATEKEY: Final = Path(sysconfig.get_path("scripts")) / "gatekey"
PATIENCE: Final = 60.0
"""Seconds for a start or a stop."""
_KEY_FILE: Final = "gatekey.key"
_LISTENS: Final = re.compile(r"listens on (http://\S+)")


@dataclass(frozen=True)
class Served:
    """One running gateway. `log` is what it wrote to standard error."""

    url: str
    log: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal it and wait; returns its status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def workers(self) -> list[int]:
        """The process ids of its workers (Linux)."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(each) for each in children.read_text().split()]

    def wait_for(self, words: str) -> None:
        """Wait until the log holds `words`."""
        deadline = time.monotonic() + PATIENCE
        while words not in (said := self.log.read_text()):
            assert time.monotonic() < deadline, said
            assert self.process.poll() is None, said
            time.sleep(0.01)


def write_key_file(folder: Path, ring: KeyRing) -> Path:
    """`ring` as a key file that the command accepts."""
    path = folder / _KEY_FILE
    path.touch(mode=0o600)
    path.write_text(ring.serialise())
    return path


class ServeOptions(TypedDict, total=False):
    """Options of a server, beside its folder, database and keys."""

    descriptors: int
    """Its limit on open files; it is left as it is without one."""
    options: Sequence[str]
    """More options of the command."""
    environ: Mapping[str, str]
    """Added to its environment."""


@contextmanager
def served(folder: Path, database: str, ring: KeyRing, **started_with: Unpack[ServeOptions]) -> Iterator[Served]:
    """`gatekey serve` on a free port, its files in `folder`; it is stopped, and has stopped cleanly, on leaving."""
    with several(1, folder, database, ring, **started_with) as (only,):
        yield only


@contextmanager
def several(
    count: int, folder: Path, database: str, ring: KeyRing, **started_with: Unpack[ServeOptions]
) -> Iterator[list[Served]]:
    """`count` of them in front of the same database, started at once."""
    if not (folder / _KEY_FILE).exists():
        write_key_file(folder, ring)
    logs = [folder / f"serve-{number}.log" for number in range(count)]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        processes += [_start(folder, database, log, **started_with) for log in logs]
        yield (gateways := [_listening(process, log) for process, log in zip(processes, logs, strict=True)])
        for gateway in gateways:
            if gateway.process.poll() is None:
                assert gateway.stop() == 0, gateway.log.read_text()
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _start(folder: Path, database: str, log: Path, **started_with: Unpack[ServeOptions]) -> subprocess.Popen[bytes]:
    env = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "GATEKEY_DATABASE": database,
        "GATEKEY_KEY_FILE": str(folder / _KEY_FILE),
        "PYTHONWARNINGS": "error",
        **started_with.get("environ", {}),
    }
    command = [str(GATEKEY), "serve", "--port", "0", *started_with.get("options", ())]
    if descriptors := started_with.get("descriptors"):
        command = ["/bin/sh", "-c", f'ulimit -n {descriptors}; exec "$@"', "sh", *command]
    with log.open("wb") as out, signals_heard():
        return subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder)


def _listening(process: subprocess.Popen[bytes], log: Path) -> Served:
    Served("", log, process).wait_for("listens on")
    match = _LISTENS.search(log.read_text())
    assert match is not None
    return Served(match[1], log, process)
