"""The request for a console: what the front process tells the child, and how the descriptors travel.

The front process sends the zygote the descriptors alone. The request itself goes through a socket that only the child
reads: the zygote never holds the token of a session. Through the same socket the child announces the sessions that it
opens itself, so that the front process can end them if the child is killed.
"""

import json
import os
import re
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

from store.values.drawer import FetchPlace
from store.values.sign_in import SecondFactorNeeded, SignedIn

Answer = SignedIn | SecondFactorNeeded | None
"""The result of the sign-in over SSH: a session, a second step, or nothing."""

MAX_REQUEST_BYTES: Final = 65_536
"""Less than the buffer of a Unix socket (unix(7)): a request never blocks the front process."""
DIGEST: Final = struct.Struct("32s")
"""The announcement of a session: `store.sessions.digest` of its token, with which nobody can sign in."""
MAX_COMMAND_BYTES: Final = 8192
"""The longest command line that is passed on."""
_MAX_DESCRIPTORS: Final = 5
_UNKNOWN_TERMINAL: Final = "unknown"
_TERM: Final = re.compile(r"[A-Za-z0-9._+-]{1,64}")
_COLORTERM: Final = re.compile(r"[A-Za-z0-9-]{1,32}")
_LANG: Final = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_TZ: Final = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")
"""A name of the IANA database. The C library would open a path (tzset(3))."""


@dataclass(frozen=True, slots=True)
class ConsoleRequest:
    """One console or command: its terminal, its person and the answer of the sign-in."""

    term: str
    """Empty without a terminal."""
    colorterm: str
    lang: str
    zone: str
    connection: str
    """The addresses of both ends, as SSH_CONNECTION has them (ssh(1))."""
    name: str
    """The user name that the client gave."""
    answer: Answer = field(repr=False)
    offers_sign_in: bool
    """True if the sign-in screen may be shown."""
    command: str | None = field(default=None, repr=False)
    """The command line of the client, which may hold a secret; None for the console."""

    @property
    def fetch_place(self) -> FetchPlace:
        """The server of the drawer, as the connection has it."""
        _, _, host, port = self.connection.split()
        return FetchPlace(host, int(port), asks_password=not isinstance(self.answer, SignedIn))

    def to_bytes(self) -> bytes:
        document = asdict(self)
        if isinstance(self.answer, SecondFactorNeeded):
            document["answer"]["expires_at"] = self.answer.expires_at.isoformat()
        return json.dumps(document).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "ConsoleRequest":
        document: dict[str, Any] = json.loads(data)
        return cls(**(document | {"answer": _answer(document["answer"])}))


class Arrival(NamedTuple):
    """A person, or a command, that a child was forked for."""

    request: ConsoleRequest
    announce: Callable[[bytes], None]
    """Tells the server of a session that the child opens."""


class WaitForArrival(Protocol):
    """Forks a child for each request."""

    def __call__(self, fits: Callable[[ConsoleRequest], bool], run_alone: Callable[[Arrival], int]) -> Arrival:
        """Return in each child whose request fits what the zygote has prepared. In the zygote it does not return.

        A child whose request does not fit ends with `run_alone`, which returns its exit status.
        """
        ...


RunZygote = Callable[[WaitForArrival], int]
"""Prepares the console, waits, and in each child opens it; returns the exit status of the child."""


class Descriptors(NamedTuple):
    """The descriptors of one console, in the order in which they are sent."""

    request: int
    """The socket with the request, and for the announcements of the child."""
    control: int
    """The socket on which the zygote reports the end, and the front process asks for it."""
    streams: tuple[int, ...]
    """The far end of the pty; or of three pipes, for the standard streams in their order."""


def terminal_type(said: str) -> str:
    """TERM as a client said it, or `unknown`, for which the console says a sentence."""
    return said if _TERM.fullmatch(said) else _UNKNOWN_TERMINAL


def locale_variables(environment: Mapping[bytes, bytes]) -> tuple[str, str, str]:
    """COLORTERM, LANG and TZ of what a client sent; empty where it is missing or has a strange form."""
    return (
        _clean(environment, b"COLORTERM", _COLORTERM),
        _clean(environment, b"LANG", _LANG),
        _clean(environment, b"TZ", _TZ),
    )


def send_descriptors(channel: socket.socket, descriptors: Descriptors) -> None:
    """Send the descriptors over a Unix socket. Raises OSError."""
    told = [descriptors.request, descriptors.control, *descriptors.streams]
    socket.send_fds(channel, [bytes([len(told)])], told)


def receive_descriptors(channel: socket.socket) -> Descriptors | None:
    """The next descriptors; None once the other end is closed. Raises OSError."""
    data, received, _, _ = socket.recv_fds(channel, 1, _MAX_DESCRIPTORS)
    if not data:
        return None
    if len(received) != data[0]:
        for descriptor in received:
            os.close(descriptor)
        raise OSError("descriptors were lost on the way")
    request, control, *streams = received
    return Descriptors(request, control, tuple(streams))


def _answer(document: dict[str, Any] | None) -> Answer:
    if document is None:
        return None
    if "ticket" in document:
        return SecondFactorNeeded(**(document | {"expires_at": datetime.fromisoformat(document["expires_at"])}))
    return SignedIn(**document)


def _clean(environment: Mapping[bytes, bytes], name: bytes, form: re.Pattern[str]) -> str:
    said = environment.get(name, b"").decode("ascii", "replace")
    return said if form.fullmatch(said) else ""
