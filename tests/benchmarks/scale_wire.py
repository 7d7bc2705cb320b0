"""A Unix socket before that of PostgreSQL which counts the bytes that pass."""

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_NAME = ".s.PGSQL.5432"


@dataclass
class Counted:
    """The bytes so far, seen from the client."""

    folder: str
    sent: int = 0
    received: int = 0


@contextmanager
def counted_socket(folder: Path) -> Iterator[Counted]:
    """Pass connections on to the server whose socket is in `folder`."""
    with tempfile.TemporaryDirectory(prefix="gatekey-wire-") as name, socket.socket(socket.AF_UNIX) as listener:
        counted = Counted(name)
        listener.bind(str(Path(name, _NAME)))
        listener.listen()
        threading.Thread(target=_accept, args=(listener, folder, counted), daemon=True).start()
        yield counted
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, folder: Path, counted: Counted) -> None:
    while True:
        try:
            client = listener.accept()[0]
        except OSError:  # it was shut down
            return
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(folder / _NAME))
        for source, target, what in ((client, server, "sent"), (server, client, "received")):
            threading.Thread(target=_pass_on, args=(source, target, counted, what), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, counted: Counted, what: Literal["sent", "received"]) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            setattr(counted, what, getattr(counted, what) + len(data))
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
