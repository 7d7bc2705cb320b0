"""One account on one New API server, with a class for each topic.

    client = RemoteClient(parse_server_address("https://api.example.com"))
    step = await client.sign_in(name, password)
    if step is not None:
        await client.enter_code(step, code)
    account = await client.account()
    await client.aclose()

Results are frozen values, failures `store.errors.GatekeyError`. Common ones, which a docstring names together:

- The **server errors** are `ServerFailed` and its children: `ServerUnreachable`, `AnswerUnreadable`, `AnswerLost` (of a
  change, which may have been made), `ServerRateLimited`.
- The **session errors** are `SessionEnded`, its child `SessionSuspended`, and the server errors.

A task that waits may be cancelled. `Patience.told` hears of every wait for the server.
"""

from remote.address import ServerAddress
from remote.calls import Calls
from remote.generations import ServerFacts, read_facts
from remote.kept_sessions import KeptSessions
from remote.own_account import OwnAccount, read_own_account
from remote.patience import Patience
from remote.session_keeper import SessionKeeper
from remote.sessions import TokenSession
from remote.sign_in import SignIn
from remote.transport import Transport
from store.clock import Clock, SystemClock
from store.values.sign_in import SecondFactorNeeded


class RemoteClient:
    """The account. Without `kept` its session lasts as long as this object.

    `transport`, `patience` and `clock` are for tests, and `patience` to hear of waits.
    """

    def __init__(
        self,
        address: ServerAddress,
        *,
        kept: KeptSessions | None = None,
        transport: Transport | None = None,
        patience: Patience | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.address = address
        self._transport = transport or Transport(address)
        patience, clock = patience or Patience(), clock or SystemClock()
        self._keeper = SessionKeeper(address.url, kept, sleep=patience.sleep)
        self._calls = Calls(self._transport, self._keeper, patience, clock)
        self._signing_in = SignIn(self._calls, clock)
        self._facts: ServerFacts | None = None

    @property
    def is_signed_in(self) -> bool:
        """True if there is a session, as far as is known without asking the server."""
        return self._keeper.credential is not None

    @property
    def signed_in_with_token(self) -> bool:
        """True if the session is a System Access Token: some acts need a session of a password."""
        return isinstance(self._keeper.credential, TokenSession)

    @property
    def name(self) -> str:
        """The name of the account that the session was opened for; empty without one."""
        return self._keeper.name

    async def facts(self, *, again: bool = False) -> ServerFacts:
        """What the server is and offers; read once, or `again`. Raises `NotANewApi` and the server errors."""
        if self._facts is None or again:
            self._facts = await read_facts(self._calls)
        return self._facts

    async def resume(self, name: str) -> bool:
        """Take up the kept session of `name`; returns False if there is none. The server is not asked."""
        return await self._keeper.resume(name)

    async def sign_in(self, name: str, password: str) -> SecondFactorNeeded | None:
        """As `SignIn.with_password`."""
        return await self._signing_in.with_password(await self.facts(), name, password)

    async def enter_code(self, step: SecondFactorNeeded, code: str) -> None:
        """As `SignIn.with_code`."""
        await self._signing_in.with_code(step, code)

    async def sign_in_with_token(self, token: str, user_id: str = "") -> None:
        """As `SignIn.with_access_token`."""
        await self._signing_in.with_access_token(await self.facts(), token, user_id)

    async def register(self, name: str, password: str, email: str = "", code: str = "") -> None:
        """As `SignIn.register`."""
        await self._signing_in.register(await self.facts(), name, password, email, code)

    async def sign_out(self) -> None:
        """As `SignIn.sign_out`."""
        await self._signing_in.sign_out(self.address.origin)

    async def account(self) -> OwnAccount:
        """The account as it is now. Raises the session errors."""
        return await read_own_account(self._calls)

    async def aclose(self) -> None:
        """Close every connection. The session stays valid."""
        await self._transport.aclose()
