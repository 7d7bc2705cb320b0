"""Faults that a test can plant: the next calls of a path are dropped, refused, delayed or answered with rubbish."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from tests.new_api.answers import Answer, encoded

HTML: Final = "text/html; charset=utf-8"

Spoil = Callable[[Answer], Answer]
"""The fate of the answer that the server had."""


@dataclass
class Fault:
    """One kind of trouble, for some calls of the paths that begin with `path`."""

    path: str
    times: int
    spoil: Spoil | None = None
    is_before: bool = True
    """False: the call takes effect, and its answer is spoiled."""
    is_drop: bool = False
    gate: threading.Event | None = None
    """The call waits until this is set."""
    method: str = ""
    after: int = 0
    """The number of calls that are spared first."""

    def fits(self, method: str, path: str) -> bool:
        return self.times > 0 and path.startswith(self.path) and self.method in ("", method)


@dataclass
class Faults:
    """The troubles of one stand-in; the first that fits a call is used up by it."""

    planned: list[Fault] = field(default_factory=list)
    is_down: bool = False
    """True: every connection is cut, as while the server restarts."""

    def next_for(self, method: str, path: str) -> Fault | None:
        for fault in self.planned:
            if fault.fits(method, path):
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def _plan(self, fault: Fault) -> None:
        self.planned.append(fault)

    def drop(self, path: str = "/", times: int = 1, method: str = "") -> None:
        """Cut the connection before the call takes effect."""
        self._plan(Fault(path, times, is_drop=True, method=method))

    def drop_answer(self, path: str = "/", times: int = 1, method: str = "") -> None:
        """Let the call take effect, and cut the connection in place of the answer."""
        self._plan(Fault(path, times, is_drop=True, is_before=False, method=method))

    def too_many(self, path: str = "/", times: int = 1, method: str = "") -> None:
        """429 with nothing in it: no Retry-After and no type."""
        self._plan(Fault(path, times, lambda _answer: too_many_requests(), method=method))

    def slow(self, path: str = "/", times: int = 1, method: str = "", after: int = 0) -> threading.Event:
        """Hold the calls back until the event is set, `after` that many."""
        gate = threading.Event()
        self._plan(Fault(path, times, gate=gate, method=method, after=after))
        return gate

    def pause_stream(self, path: str = "/", times: int = 1) -> threading.Event:
        """Hold a stream back behind its first piece until the event is set."""
        gate = threading.Event()
        self._plan(Fault(path, times, lambda answer: replace(answer, gate=gate), is_before=False))
        return gate

    def html(self, path: str = "/", times: int = 1, status: int = 200) -> None:
        """The page of a proxy's own sign-in, or of one that has lost its server."""
        page = b"<!doctype html><title>Sign in</title><form action='/proxy'><input name='user'></form>"
        self._plan(Fault(path, times, lambda _answer: Answer(page, status, HTML)))

    def proxy_sign_in(self, path: str = "/", times: int = 1) -> None:
        """The refusal of a proxy that wants a sign-in of its own, in JSON."""
        self._plan(Fault(path, times, lambda _answer: Answer(encoded({"error": "sign in to the network"}), 401)))

    def sql_error(self, path: str = "/", times: int = 1) -> None:
        """500 with words of a database that no client may show as they are."""
        text = "SQLSTATE[23505] duplicate key value violates unique constraint; UPDATE users SET password='\x1b[31mx'"
        body = encoded({"error": {"message": text, "type": "example_error"}})
        self._plan(Fault(path, times, lambda _answer: Answer(body, 500)))

    def empty(self, path: str = "/", times: int = 1, *, is_before: bool = True) -> None:
        """200 with nothing: what a crash looks like to a client that accepts gzip."""
        self._plan(Fault(path, times, lambda _answer: Answer(b"", 200, None), is_before))

    def oversized(self, path: str = "/", times: int = 1, mebibytes: int = 64) -> None:
        """A body without an end in sight; compressed for a client that accepts it."""
        chunks = tuple([b'{"data":"' + b"x" * (1 << 20)] + [b"x" * (1 << 20)] * (mebibytes - 1))
        self._plan(Fault(path, times, lambda _answer: replace(Answer(b""), chunks=chunks)))

    def broken_json(self, path: str = "/", times: int = 1) -> None:
        """Half of the answer, with all of its headers."""
        self._plan(Fault(path, times, lambda answer: replace(answer, body=answer.body[: len(answer.body) // 2]), False))


def too_many_requests() -> Answer:
    return Answer(b"", 429, None)
