"""One account on one New API server, with a class for each topic.

    client = RemoteClient(parse_server_address("https://api.example.com"))
    step = await client.sign_in(name, password)
    if step is not None:
        await client.enter_code(step, code)
    seen = await client.settings.read()
    await client.settings.save_price(accept_unpriced=False, seen=seen)
    await client.aclose()

Results are frozen values, failures `store.errors.GatekeyError`. Common ones, which a docstring names together:

- The **server errors** are `ServerFailed` and its children: `ServerUnreachable`, `AnswerUnreadable`, `AnswerLost` (of a
  change, which may have been made), `ServerRateLimited`.
- The **session errors** are `SessionEnded`, its child `SessionSuspended`, and the server errors.

A method that a server does not have raises `NotOnThisServer`, with a sentence. A task that waits may be cancelled.
`Patience.told` hears of every wait for the server.
"""

import contextlib

from remote.access_tokens import AccessTokens
from remote.address import ServerAddress
from remote.api_keys import ApiKeys
from remote.bindings import Bindings
from remote.calls import Calls
from remote.exchanges import Exchanges
from remote.generations import KnownServer, ServerFacts
from remote.kept_sessions import KeptSessions
from remote.login_sessions import LoginSessions
from remote.models import Models
from remote.own_account import OwnAccount, delete_own_account, read_own_account
from remote.passkeys import Passkeys
from remote.passwords import Passwords
from remote.patience import Patience
from remote.playground import Playground
from remote.session_keeper import SessionKeeper
from remote.sessions import BearerSession, TokenSession
from remote.settings import Settings
from remote.sign_in import SignIn
from remote.task_logs import TaskLogs
from remote.transport import Transport
from remote.two_factor import TwoFactor
from remote.usage import Usage
from remote.wallet import Wallet
from store.clock import Clock, SystemClock
from store.errors import GatekeyError, NoSuchItem, ServerFailed
from store.values.sign_in import SecondFactorNeeded


class RemoteClient:
    """The account. Without `kept` its session lasts as long as this object.

    `transport` and `clock` are for tests; `patience` also to hear of waits.
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
        self._calls = calls = Calls(Exchanges(self._transport, patience), self._keeper, clock)
        self._server = server = KnownServer(calls)
        self._signing_in = SignIn(calls, clock)
        self.settings = Settings(calls, server)
        self.passwords = Passwords(calls, server)
        self.access_tokens = AccessTokens(calls, clock)
        self.two_factor = TwoFactor(calls, clock)
        self.passkeys = Passkeys(calls, self.two_factor)
        self.login_sessions = LoginSessions(calls, server)
        self.bindings = Bindings(calls, server)
        self.api_keys = ApiKeys(calls, server)
        self.usage = Usage(calls, server)
        self.task_logs = TaskLogs(calls, server)
        self.wallet = Wallet(calls, server)
        self.models = Models(calls, server)
        self.playground = Playground(self._transport, self.api_keys, self.usage, patience.sleep)

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
        """The server's generation, status and offers, read once or `again`. Raises `NotANewApi` and server errors."""
        return await self._server.facts(again=again)

    async def resume(self, name: str) -> bool:
        """Take up the kept session of `name`; returns False if there is none. The server is not asked."""
        return await self._keeper.resume(name)

    async def forget(self, name: str) -> None:
        """Forget what is kept of an ended session of `name`. Raises `StoreUnavailable`."""
        await self._keeper.forget_kept(name)

    async def sign_in(self, name: str, password: str) -> SecondFactorNeeded | None:
        """As `SignIn.with_password`."""
        return await self._signing_in.with_password(await self.facts(), name, password)

    async def sign_in_again(self, password: str) -> SecondFactorNeeded | None:
        """Sign in once more under the same name, and end the session before, where the server keeps a list of them.

        A second factor that is asked for opens no session, and ends none. Raises what `sign_in` raises.
        """
        before = self._keeper.credential
        step = await self.sign_in(self.name, password)
        if step is None and isinstance(before, BearerSession):
            # The new session is good, whether or not the server ends the other one.
            with contextlib.suppress(NoSuchItem, ServerFailed):
                await self.login_sessions.end(before.session_id)
        return step

    async def enter_code(self, step: SecondFactorNeeded, code: str) -> None:
        """As `SignIn.with_code`."""
        await self._signing_in.with_code(step, code)

    async def sign_in_with_token(self, token: str, user_id: str = "") -> None:
        """As `SignIn.with_access_token`."""
        await self._signing_in.with_access_token(await self.facts(), token, user_id)

    async def register(self, name: str, password: str, email: str = "", code: str = "") -> None:
        """As `SignIn.register`."""
        await self._signing_in.register(await self.facts(), name, password, email, code)

    async def send_sign_up_code(self, email: str) -> None:
        """As `SignIn.send_code`."""
        await self._signing_in.send_code(await self.facts(), email)

    async def sign_out(self) -> None:
        """As `SignIn.sign_out`. What an interrupted save owes is put back first, if that is possible."""
        if self._keeper.owed and self.is_signed_in:
            with contextlib.suppress(GatekeyError):  # the sign-out tells what is wrong
                await self.settings.read()
        await self._signing_in.sign_out(self.address.origin)

    async def account(self) -> OwnAccount:
        """The account as it is now. Raises the session errors."""
        return await read_own_account(self._calls)

    async def delete_account(self) -> None:
        """Close the account, and end the session. The server asks for no proof: ask the person before.

        It keeps API keys, logs and billing; the name stays taken. Raises `RootAccount`, `ServerRefused` and the session
        errors.
        """
        await delete_own_account(self._calls)

    async def aclose(self) -> None:
        """Close every connection. The session stays valid."""
        await self._transport.aclose()
