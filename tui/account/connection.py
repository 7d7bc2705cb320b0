"""The connection to the account's data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from store.values.capabilities import Capabilities
    from tui.account.files import FileService


@dataclass(frozen=True, slots=True)
class DemoCredentials:
    """The name and the password of a demo account. They protect nothing, and screens show them."""

    name: str
    password: str = field(repr=False)


class ConnectionService(Protocol):
    """Opens and closes the data, and tells about the connection. The properties answer at any time, without I/O."""

    @property
    def demo_credentials(self) -> DemoCredentials | None:
        """The credentials of the demo, or None for an ordinary account. Raises nothing."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """The limits of the account. They may change with `open` and with each sign-in. Raises nothing."""
        ...

    @property
    def server(self) -> str:
        """The address of the server that the account is on; empty if it is on this machine. Raises nothing."""
        ...

    @property
    def is_open(self) -> bool:
        """True if `open` succeeded and `close` was not called. Raises nothing."""
        ...

    @property
    def starts_signed_in(self) -> bool:
        """True if the console needs no sign-in: `open` brings a session, or one was handed in. Raises nothing."""
        ...

    @property
    def starts_empty(self) -> bool:
        """True if it is known before `open` that nobody has an account. Raises nothing."""
        ...

    @property
    def files(self) -> FileService:
        """Saves files on the machine of the console. Raises nothing."""
        ...

    def tell_waits(self, tell: Callable[[str], None]) -> None:
        """Call `tell` on the event loop, with a sentence, whenever a request begins to wait. Raises nothing."""
        ...

    def now(self) -> datetime:
        """The current time by the clock of the data, which expiries are measured against. Raises nothing."""
        ...

    async def open(self) -> bool:
        """Open the data; a second call changes nothing. Returns whether nobody has an account yet.

        Raises the data errors.
        """
        ...

    async def wait_until_open(self) -> None:
        """Wait until a call of `open`, by whichever task, has succeeded.

        If the last one has failed, this may open the data once more. Raises the data errors of that.
        """
        ...

    async def place(self) -> str:
        """The place of the data, for a person, without credentials. Raises nothing."""
        ...

    async def close(self) -> None:
        """Close the data and every connection to a provider; the session stays valid. Raises nothing."""
        ...
