"""`gatekey ssh`: listens, and starts and stops everything behind the port."""

import asyncio
import logging
import os
import signal
import socket
from contextlib import suppress
from functools import partial
from typing import Final

import asyncssh

from gateway.acceptor import Acceptor
from gateway.connection_register import ConnectionRegister
from gateway.descriptors import connection_limit, peer_limit, raise_limit
from gateway.listener import listen
from gateway.log import log_to_stderr
from ssh.connection import Connection, Visitor
from ssh.consoles import Consoles, start_zygote
from ssh.drawers import Drawers
from ssh.fork_request import RunZygote
from ssh.sign_ins import SignIns
from ssh.zygote import HANGUP_GRACE_S
from store.errors import CannotListen, HostKeyUnusable
from store.store import Store
from tui.ssh_host_key import fingerprint, host_key_path, load_or_make_host_key
from tui.ssh_service import SshPlace
from tui.store_location import Options, forget_files, open_account_store

LOGGER: Final = logging.getLogger("gatekey.ssh")
LOGIN_TIMEOUT_S: Final = 120.0
"""Seconds from the connection to the end of the sign-in: a person may have to look for a code."""
KEEPALIVE_INTERVAL_S: Final = 30.0
MAX_KEEPALIVES: Final = 4
"""Questions without an answer after which a client counts as gone."""
STOP_TIMEOUT_S: Final = HANGUP_GRACE_S + 5.0
"""Seconds in which the consoles end when the server stops."""
_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

KEY_EXCHANGES: Final = (
    "mlkem768x25519-sha256",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
)
CIPHERS: Final = (
    "chacha20-poly1305@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-gcm@openssh.com",
    "aes256-ctr",
    "aes128-ctr",
)
MACS: Final = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com")
COMPRESSIONS: Final = ("none", "zlib@openssh.com")
"""The second one begins after the authentication."""
SIGNATURES: Final = (
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-ed25519",
    "ecdsa-sha2-nistp521",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp256",
    "rsa-sha2-512",
    "rsa-sha2-256",
)


def serve(options: Options, place: SshPlace, run_zygote: RunZygote) -> int:
    """Serve until SIGINT, SIGTERM or SIGHUP, end every console, and return 0; 1 if the zygote was lost.

    Call it in a process with one thread. Raises `CannotListen`, `HostKeyUnusable`, and the errors of
    `open_account_store`.
    """
    forget_files(os.environ)
    consoles = start_zygote(run_zygote)
    try:
        log_to_stderr({"gatekey": logging.INFO, "asyncssh": logging.ERROR})
        with open_account_store(options, create=False) as store:
            if store.accounts.is_empty():
                raise CannotListen("Nobody has an account yet. Create the first one: gatekey admin user add")
            path = place.host_key or host_key_path(options, os.environ)
            host_key = load_or_make_host_key(path)
            said = fingerprint(host_key)
            with listen(place.host, place.port) as listener:
                consoles.wait_until_ready()
                LOGGER.info("The host key is %s (%s)", said, path)
                return asyncio.run(_Server(store, consoles).run(listener, host_key))
    finally:
        consoles.close()
        consoles.wait()


class _Server:
    def __init__(self, store: Store, consoles: Consoles) -> None:
        self._consoles = consoles
        self._sign_ins = SignIns(store)
        self._drawers = Drawers(store)
        self._visitors: set[Visitor] = set()
        limit = connection_limit(raise_limit(), store.site.number("ssh.connections"))
        of_peer = peer_limit(limit, store.site.number("ssh.connections_per_client"))
        self._register = ConnectionRegister(limit, of_peer)
        self._is_stopping = asyncio.Event()
        self._is_empty = asyncio.Event()
        self._is_lost = False

    async def run(self, listener: socket.socket, host_key: bytes) -> int:
        loop = asyncio.get_running_loop()
        for number in _STOP_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self._is_stopping.set)
        self._consoles.watch(self._lost)
        options = await self._options(host_key)
        acceptor = Acceptor(listener, partial(Connection, loop, options), self._register)
        address = listener.getsockname()
        LOGGER.info("Gatekey answers SSH on %s port %d", address[0], address[1])
        cleanup = asyncio.create_task(self._drawers.purge_until(self._is_stopping))
        await self._is_stopping.wait()
        acceptor.close()
        await acceptor.settle()
        await self._end_all()
        await cleanup
        await self._drawers.close()
        await self._sign_ins.close()
        LOGGER.info("Gatekey has stopped")
        return 1 if self._is_lost else 0

    async def _options(self, host_key: bytes) -> asyncssh.SSHServerConnectionOptions:
        try:
            key = asyncssh.import_private_key(host_key)
        except asyncssh.KeyImportError as error:
            raise HostKeyUnusable from error
        options: asyncssh.SSHServerConnectionOptions = await asyncssh.SSHServerConnectionOptions.construct(
            config=None,
            server_factory=self._visitor,
            server_host_keys=[key],
            server_version="Gatekey",
            kex_algs=list(KEY_EXCHANGES),
            encryption_algs=list(CIPHERS),
            mac_algs=list(MACS),
            compression_algs=list(COMPRESSIONS),
            signature_algs=list(SIGNATURES),
            login_timeout=LOGIN_TIMEOUT_S,
            keepalive_interval=KEEPALIVE_INTERVAL_S,
            keepalive_count_max=MAX_KEEPALIVES,
            password_auth=False,
            host_based_auth=False,
            gss_host=None,
            agent_forwarding=False,
            x11_forwarding=False,
            encoding=None,
            line_editor=False,
        )
        return options

    def _visitor(self) -> Visitor:
        return Visitor(self._sign_ins, self._consoles, self._drawers, self._register, came=self._came, left=self._left)

    def _came(self, visitor: Visitor) -> None:
        self._visitors.add(visitor)
        self._is_empty.clear()

    def _left(self, visitor: Visitor) -> None:
        self._visitors.discard(visitor)
        if not self._visitors:
            self._is_empty.set()

    def _lost(self) -> None:
        LOGGER.error("The process that holds the console has ended, so no session can be opened")
        self._is_lost = True
        self._is_stopping.set()

    async def _end_all(self) -> None:
        """End every console and close every connection. A console that stays is killed by the zygote."""
        for visitor in list(self._visitors):
            visitor.stop()
        if self._visitors:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_empty.wait(), STOP_TIMEOUT_S)
        for visitor in list(self._visitors):
            visitor.close_idle()
