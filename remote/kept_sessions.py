"""Sessions that outlive the program: one file for each server and name, sealed under the key file.

A file that cannot be opened, because the key is another or the file was altered, counts as none: the person signs in
again. All of it blocks; use a thread.
"""

import hashlib
import json
import os
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from remote.sessions import BearerSession, CookieSession, Credential, TokenSession
from store import file_systems, private_file, private_folder
from store.at_rest import KeyRing
from store.errors import KeyWrong, StoreUnavailable

_SUFFIX: Final = ".session"
_LOCK_SUFFIX: Final = ".lock"
_MAX_BYTES: Final = 256 * 1024
_NOT_KEPT: Final = "The session could not be kept in {place}: {reason}. It lasts until this program ends."


class KeptState(StrEnum):
    """The state of a session that was kept, in a few words."""

    KEPT = "kept"
    ENDED = "session ended"
    """There is no session any more; what a save owes and the fields of channels may be kept all the same."""
    UNREADABLE = "cannot be opened"
    """The key is another, or the file was altered."""


@dataclass(frozen=True, slots=True)
class KeptSession:
    """A session of `name` on a server, and what a save there still owes."""

    server: str
    name: str
    credential: Credential | None
    """None once the session has ended."""
    owed: Mapping[str, Any] | None = field(default=None, repr=False)
    """Settings that an interrupted save wiped and did not put back; see `remote.settings`."""
    channels: Mapping[str, Any] | None = field(default=None, repr=False)
    """The fields of the channels that the server forgets, by their names in `NotificationForm`. They hold secrets."""


class KeptSessions:
    """The sessions in a folder, which is created with mode 0700 when the first one is kept."""

    def __init__(self, folder: Path, ring: KeyRing, rng: random.Random) -> None:
        self._folder = folder
        self._ring = ring
        self._rng = rng

    def load(self, server: str, name: str) -> KeptSession | None:
        """The session of `name` on `server`; None without one that can be opened."""
        found = self._read(self._path(server, name))
        return found if found is not None and (found.server, found.name) == (server, name) else None

    def state(self, server: str, name: str) -> KeptState:
        """The state of the session of `name` on `server`, which was kept once."""
        found = self.load(server, name)
        if found is None:
            return KeptState.UNREADABLE if os.path.lexists(self._path(server, name)) else KeptState.ENDED
        return KeptState.ENDED if found.credential is None else KeptState.KEPT

    def all(self) -> list[KeptSession]:
        """Every session that can be opened, by server and name."""
        found = [self._read(path) for path in self._folder.glob(f"*{_SUFFIX}")]
        return sorted((one for one in found if one is not None), key=lambda one: (one.server, one.name))

    def keep(self, session: KeptSession) -> None:
        """Store a session in the place of the former one. The file appears whole or not at all.

        Raises `StoreUnavailable` if it cannot be written.
        """
        path = self._path(session.server, session.name)
        sealed = self._ring.seal_bytes(_written(session), _bound_to(path), self._rng)
        try:
            private_folder.make(self._folder)
            private_file.replace(path, sealed)
            file_systems.flush(self._folder)
        except OSError as error:
            raise StoreUnavailable(_NOT_KEPT.format(place=self._folder, reason=error.strerror)) from error

    def forget(self, server: str, name: str) -> None:
        """Remove the session, if there is one. Raises `StoreUnavailable`."""
        path = self._path(server, name)
        try:
            path.unlink(missing_ok=True)
            path.with_suffix(_LOCK_SUFFIX).unlink(missing_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"The session in {path} could not be removed: {error.strerror}.") from error

    @contextmanager
    def locked(self, server: str, name: str) -> Iterator[bool]:
        """Try to lock the session against other processes (flock(2)), without waiting. Yields whether that succeeded.

        Where no lock can be made it counts as locked: a refresh by two processes is better than none.
        """
        import fcntl

        path = self._path(server, name).with_suffix(_LOCK_SUFFIX)
        try:
            private_folder.make(self._folder)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError:
            yield True
            return
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    def _path(self, server: str, name: str) -> Path:
        # A digest: the name of an account may hold what a file name may not.
        return self._folder / (hashlib.sha256(f"{server}\n{name}".encode()).hexdigest()[:40] + _SUFFIX)

    def _read(self, path: Path) -> KeptSession | None:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            sealed = file.read(_MAX_BYTES)
        try:
            return _parsed(json.loads(self._ring.open_bytes(sealed, _bound_to(path))))
        except (KeyWrong, ValueError, KeyError, TypeError):
            return None


def _bound_to(path: Path) -> str:
    return f"kept_sessions:session:{path.stem}"


def _written(session: KeptSession) -> bytes:
    match session.credential:
        case CookieSession(user_id, cookie):
            kept: dict[str, Any] = {"kind": "cookie", "user_id": user_id, "cookie": cookie}
        case BearerSession(user_id, session_id, access_token, refresh_cookie, fresh_until):
            kept = {
                "kind": "bearer",
                "user_id": user_id,
                "session_id": session_id,
                "access_token": access_token,
                "refresh_cookie": refresh_cookie,
                "fresh_until": fresh_until.timestamp(),
            }
        case TokenSession(token, optional_id):
            kept = {"kind": "token", "user_id": optional_id, "token": token}
        case None:
            kept = {"kind": "ended"}
    owed = None if session.owed is None else dict(session.owed)
    channels = None if session.channels is None else dict(session.channels)
    facts = {"server": session.server, "name": session.name, "owed": owed, "channels": channels}
    return json.dumps({**facts, **kept}).encode()


def _parsed(kept: dict[str, Any]) -> KeptSession:
    match kept["kind"]:
        case "cookie":
            credential: Credential | None = CookieSession(kept["user_id"], kept["cookie"])
        case "bearer":
            fresh_until = datetime.fromtimestamp(kept["fresh_until"], UTC)
            credential = BearerSession(
                kept["user_id"], kept["session_id"], kept["access_token"], kept["refresh_cookie"], fresh_until
            )
        case "ended":
            credential = None
        case _:
            credential = TokenSession(kept["token"], kept["user_id"])
    # Files of earlier releases have no channels.
    return KeptSession(kept["server"], kept["name"], credential, kept["owed"], kept.get("channels"))
