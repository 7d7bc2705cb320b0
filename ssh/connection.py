"""One connection: its limits in time, its authentication, and the one session that it may have."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, cast

import asyncssh

from gateway.connection_register import ConnectionRegister
from ssh.authentication import Authentication, Challenge
from ssh.consoles import Console, Consoles
from ssh.drawer_server import DrawerServer
from ssh.drawer_session import DrawerSession, asks_for_drawer
from ssh.drawers import Drawers
from ssh.fork_request import ConsoleRequest, locale_variables
from ssh.prompt_connection import PromptConnection
from ssh.session import ConsoleSession
from ssh.sign_ins import SignIns
from store.text import sanitize
from store.values.sign_in import SignedIn

LOGGER: Final = logging.getLogger("gatekey.ssh")
HANDSHAKE_TIMEOUT_S: Final = 30.0
"""Seconds until a client has named a user: no person is waited for before that."""
SESSION_TIMEOUT_S: Final = 30.0
"""Seconds from the authentication to the request for a shell."""
ENVIRONMENT: Final = (b"COLORTERM", b"LANG", b"TZ")
"""Variables that a client may send. TERM comes with the request for a terminal."""
MAX_VALUE_BYTES: Final = 256
NOT_SIGNED_IN: Final = (
    "The drawer is for whoever is signed in. Sign in with your password, and with a code where two-factor "
    "authentication is on: add -o PubkeyAuthentication=no to the command."
)


class Channel(asyncssh.SSHServerChannel[bytes]):
    """A channel that keeps no other variable: a client may send as many as it likes (RFC 4254, 6.4)."""

    def _process_env_request(self, packet: asyncssh.packet.SSHPacket) -> bool:
        name, value = packet.get_string(), packet.get_string()
        packet.check_end()
        if name not in ENVIRONMENT or len(value) > MAX_VALUE_BYTES:
            return False
        self._env[name] = value
        return True

    def _start_session(self, command: str | None = None, subsystem: str | None = None) -> bool:
        """Begin what the client asks for. The session of the drawer takes the place of the console's."""
        visitor = self.get_connection().get_owner()
        session = visitor.drawer_session(command, subsystem) if isinstance(visitor, Visitor) else None
        if session is not None:
            self._session = session
            session.connection_made(self)
        return super()._start_session(command, subsystem)


class Connection(PromptConnection):
    """A connection whose channels are `Channel`, and whose visitor hears of a key that was proved."""

    async def validate_public_key(self, username: str, key_data: bytes, msg: bytes, signature: bytes) -> bool:
        """True if the key may be used. With `msg` the client has signed, and a right signature signs in at once: a key
        that does not fit the name must leave the other methods open (RFC 4252, 7)."""
        is_right = await super().validate_public_key(username, key_data, msg, signature)
        visitor = self.get_owner()
        if not (is_right and msg and isinstance(visitor, Visitor)):
            return is_right
        return await visitor.key_proved(username)

    def pause_writing(self) -> None:
        """The client does not read. Whatever it asks for meanwhile would have to wait in memory."""
        if self._transport is not None:
            self._transport.pause_reading()
        visitor = self.get_owner()
        if isinstance(visitor, Visitor):
            visitor.hold()

    def resume_writing(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()
        visitor = self.get_owner()
        if isinstance(visitor, Visitor):
            visitor.let_go()

    def create_server_channel(
        self,
        encoding: str | None = "",  # noqa: ARG002 - bytes are passed on as they are
        errors: str = "",  # noqa: ARG002 - likewise
        window: int = 0,
        max_pktsize: int = 0,
    ) -> asyncssh.SSHServerChannel[bytes]:
        window, max_pktsize = window or self._window, max_pktsize or self._max_pktsize
        self._update_recv_pktlen(max_pktsize)
        return Channel(
            self,
            self._loop,
            allow_pty=True,
            line_editor=False,
            line_echo=False,
            line_history=0,
            max_line_length=0,
            encoding=None,
            errors="strict",
            window=window,
            max_pktsize=max_pktsize,
        )


class Visitor(asyncssh.SSHServer):
    """The client of one connection, until it is lost and its console has ended."""

    def __init__(
        self,
        sign_ins: SignIns,
        consoles: Consoles,
        drawers: Drawers,
        register: ConnectionRegister,
        *,
        came: "Callable[[Visitor], None]",
        left: "Callable[[Visitor], None]",
    ) -> None:
        """`came` is called for a connection that is let in, `left` when it is lost and its console has ended."""
        self._sign_ins = sign_ins
        self._consoles = consoles
        self._drawers = drawers
        self._register = register
        self._came = came
        self._left = left
        self._loop = asyncio.get_running_loop()
        self._connection: asyncssh.SSHServerConnection | None = None
        self._authentication: Authentication | None = None
        self._session: ConsoleSession | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._address = ""
        self._fingerprint = ""

    # -- the connection ---------------------------------------------------------------------------------------

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        peer = conn.get_extra_info("peername")
        self._address = str(peer[0]).partition("%")[0] if peer else ""
        if not self._register.admit(self, self._address):
            conn.abort()
            return
        self._came(self)
        self._authentication = Authentication(self._sign_ins, self._address)
        self._timer = self._loop.call_later(HANDSHAKE_TIMEOUT_S, conn.abort)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the client is gone either way
        self._stop_timer()
        self._register.remove(self)
        self._connection = None
        self._leave_if_over()

    def close_idle(self) -> None:
        """Make room for another client (`gateway.connection_register.Connection`)."""
        if self._connection is not None:
            self._connection.abort()

    def stop(self) -> None:
        """Let the console end and the connection close, because the server stops."""
        if self._session is not None and self._session.console is not None:
            self._session.stop()
        else:
            self.close_idle()

    # -- the person -------------------------------------------------------------------------------------------

    async def begin_auth(self, username: str) -> bool:  # noqa: ARG002 - every name needs it
        self._stop_timer()
        if self._authentication is not None:
            await self._authentication.begin()
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002 - any account's
        if self._authentication is None:
            return False
        fingerprint = key.get_fingerprint()
        is_known = await self._authentication.is_known(fingerprint)
        self._fingerprint = fingerprint if is_known else ""
        return is_known

    async def key_proved(self, username: str) -> bool:
        """The client has signed with the key that `validate_public_key` saw last."""
        if self._authentication is None or not self._fingerprint:
            return False
        return await self._authentication.key_proved(username, self._fingerprint)

    def kbdint_auth_supported(self) -> bool:
        return True

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> bool | Challenge:  # noqa: ARG002
        return self._authentication is not None and self._authentication.first_challenge()

    def validate_kbdint_response(  # type: ignore[override]  # asyncssh accepts a coroutine, but does not say so
        self, username: str, responses: list[str]
    ) -> Awaitable[bool | Challenge]:
        return cast("Authentication", self._authentication).next_challenge(username, responses)

    def auth_completed(self) -> None:
        self._register.mark_busy(self)
        if self._connection is not None:
            self._timer = self._loop.call_later(SESSION_TIMEOUT_S, self._connection.abort)

    # -- the session ------------------------------------------------------------------------------------------

    def session_requested(self) -> ConsoleSession | bool:
        if self._session is not None:
            return False
        self._session = ConsoleSession(self._open_console, started=self._started, closed=self._session_closed)
        return self._session

    def drawer_session(self, command: str | None, subsystem: str | None) -> DrawerSession | None:
        """The session for what a client asks for, if that is the drawer. Whoever is not signed in is told why not."""
        authentication = self._authentication
        if not asks_for_drawer(command, subsystem) or authentication is None or self._session is None:
            return None
        if not isinstance(authentication.answer, SignedIn):
            self._session.refuse(NOT_SIGNED_IN)
            return None
        self._started()
        token, name = authentication.answer.token, authentication.answer.name
        return DrawerSession(
            lambda channel: DrawerServer(channel, self._drawers, token, name), closed=self._session_closed
        )

    def _open_console(
        self,
        channel: "asyncssh.SSHServerChannel[bytes]",
        command: str | None,
        term: str,
        size: tuple[int, int] | None,
    ) -> Console:
        connection, authentication = self._connection, self._authentication
        if connection is None or authentication is None:
            raise ConnectionResetError
        colorterm, lang, zone = locale_variables(channel.get_environment_bytes())
        near, far = connection.get_extra_info("peername"), connection.get_extra_info("sockname")
        request = ConsoleRequest(
            term=term,
            colorterm=colorterm,
            lang=lang,
            zone=zone,
            connection=f"{self._address} {near[1]} {far[0]} {far[1]}",
            name=sanitize(connection.get_extra_info("username"), 100),
            answer=authentication.answer,
            offers_sign_in=authentication.offers_sign_in,
            command=command,
        )
        console = self._consoles.open(request, size)
        console.finished.add_done_callback(lambda _: self._console_ended())
        return console

    def hold(self) -> None:
        """Read no output of the console until `let_go`: the client does not take it."""
        if self._session is not None:
            self._session.hold()

    def let_go(self) -> None:
        if self._session is not None:
            self._session.let_go()

    def _session_closed(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _console_ended(self) -> None:
        self._end_session()
        self._leave_if_over()

    def _leave_if_over(self) -> None:
        """The last output may still be on its way when a console has ended, and a console may outlive its client."""
        console = None if self._session is None else self._session.console
        if self._connection is None and (console is None or console.finished.done()):
            self._end_session()
            self._left(self)

    def _end_session(self) -> None:
        """Whatever ended the console, the session that it was given is over, and so is each that it opened."""
        console = None if self._session is None else self._session.console
        while console is not None and console.announced:
            self._sign_ins.end_announced(console.announced.popleft())
        authentication = self._authentication
        if authentication is not None and isinstance(authentication.answer, SignedIn):
            self._sign_ins.end(authentication.answer.token)
            authentication.answer = None

    def _started(self) -> None:
        self._stop_timer()
        if isinstance(self._connection, Connection):
            self._connection.is_starting = False

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
