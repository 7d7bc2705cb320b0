"""An application behind the gateway's own server, as `gatekey serve` runs it, and raw sockets in front of it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.types import ASGIApp

from gateway.connection_register import ConnectionRegister
from gateway.listener import listen
from gateway.serve import GatewayServer, server_config
from tests.harness.live_servers import PATIENCE


@dataclass(frozen=True)
class Guarded:
    """One running server, on loopback."""

    port: int
    connections: ConnectionRegister

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self, data: bytes = b"") -> socket.socket:
        """A new connection that has sent `data`."""
        connection = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        connection.sendall(data)
        return connection

    def ask(self, data: bytes) -> bytes:
        """All that is answered to `data` until the server closes."""
        with self.connect(data) as connection:
            return read_to_end(connection)


class _Announcing(GatewayServer):
    has_started: threading.Event

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.has_started.set()


@contextmanager
def guarded(app: ASGIApp, connections: ConnectionRegister | None = None) -> Iterator[Guarded]:
    """`app` behind the server of `gatekey serve`, in a thread."""
    register = ConnectionRegister(100, 100) if connections is None else connections
    listener = listen("127.0.0.1", 0)
    server = _Announcing(server_config(app), "http://127.0.0.1", register)
    server.has_started = threading.Event()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        assert server.has_started.wait(PATIENCE), "the server did not start"
        yield Guarded(listener.getsockname()[1], register)
    finally:
        server.force_exit = server.should_exit = True
        thread.join(PATIENCE)
        listener.close()
        assert not thread.is_alive(), "the server did not stop"


def read_to_end(connection: socket.socket) -> bytes:
    """All bytes until the other side closes or resets the connection."""
    said = b""
    try:
        while chunk := connection.recv(65536):
            said += chunk
    except ConnectionResetError:
        pass
    return said
