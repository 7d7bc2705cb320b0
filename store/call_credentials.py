"""The credentials of a call of a model: an API key, or a session of the console."""

from dataclasses import dataclass, field
from typing import Final, Protocol

from sqlalchemy import Connection

from store.api_key_use import KeyHolder
from store.api_keys import ApiKeys
from store.price_lookup import find_price
from store.sessions import Sessions, digest
from store.values.billing import ModelPrice

PLAYGROUND_NAME: Final = "Playground"
"""The key name in the usage log of calls that the console makes for the account itself."""


class CallCredential(Protocol):
    """The proof of who calls. It is checked in the transaction that holds the money, at every call."""

    @property
    def name(self) -> bytes:
        """A hash that is the same for every call with this credential. It is no secret."""
        ...

    def holder(self, tx: Connection) -> KeyHolder:
        """The account that pays, inside `tx`.

        Raises `InvalidApiKey`, `AccountSuspended`, and for a session the errors of `Sessions.authorise`.
        """
        ...

    def holder_and_price(self, tx: Connection, model: str) -> tuple[KeyHolder, ModelPrice | None]:
        """`holder`, and the price of `model`, or None without one."""
        ...


@dataclass(frozen=True, slots=True)
class ApiKeyCredential:
    """An API key, as a client of the HTTP API sends it."""

    api_keys: ApiKeys
    key: str = field(repr=False)
    name: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", digest(self.key))

    def holder(self, tx: Connection) -> KeyHolder:
        return self.api_keys.holder(tx, self.key)

    def holder_and_price(self, tx: Connection, model: str) -> tuple[KeyHolder, ModelPrice | None]:
        return self.api_keys.holder_and_price(tx, self.key, model)


@dataclass(frozen=True, slots=True)
class SessionCredential:
    """A session, for calls of the account itself, or for calls at the expense of one of its API keys."""

    sessions: Sessions
    api_keys: ApiKeys
    token: str = field(repr=False)
    key_id: int | None
    """None: the account itself."""

    @property
    def name(self) -> bytes:
        return digest(f"{self.token} {self.key_id}")

    def holder(self, tx: Connection) -> KeyHolder:
        session = self.sessions.authorise(tx, self.token)
        if self.key_id is None:
            return self.api_keys.account_holder(tx, session.account_id, PLAYGROUND_NAME)
        holder = self.api_keys.holder_by_id(tx, session.account_id, self.key_id)
        # The networks of a key guard its secret, which the console does not send over one.
        return holder._replace(allowed_networks=None)

    def holder_and_price(self, tx: Connection, model: str) -> tuple[KeyHolder, ModelPrice | None]:
        return self.holder(tx), find_price(tx, model)
