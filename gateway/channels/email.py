"""E-mail: one message to one recipient over SMTP, always with verified TLS."""

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from typing import Final, Literal

import aiosmtplib

from gateway.channels.mail import compose, domain_of, one_address
from gateway.channels.message import Message
from gateway.connect import Resolve, Timeouts, first_to_connect, resolve_host, system_resolver
from gateway.network_errors import NETWORK_ERRORS, delivery_failure
from gateway.outbound import require_verification, system_trust
from store.addresses import is_host
from store.errors import DeliveryFailed, InvalidEmail
from store.text import sanitize

MAIL_TIMEOUTS: Final = Timeouts(connect=5.0, total=30.0)
"""Mail servers delay their greeting to strangers on purpose."""

_QUIT_TIMEOUT_S: Final = 1.0

SENTENCES: Final[Mapping[type[Exception], str]] = {
    aiosmtplib.SMTPAuthenticationError: "{host} refused the user name or the password{code}.",
    aiosmtplib.SMTPSenderRefused: "{host} refused the sender{code}.",
    aiosmtplib.SMTPRecipientRefused: "{host} refused the recipient{code}.",
    aiosmtplib.SMTPRecipientsRefused: "{host} refused the recipient{code}.",
    aiosmtplib.SMTPDataError: "{host} refused the message{code}.",
    aiosmtplib.SMTPHeloError: "{host} refused the greeting{code}.",
    aiosmtplib.SMTPConnectResponseError: "{host} takes no mail at the moment{code}.",
    aiosmtplib.SMTPResponseException: "{host} answered with an error{code}.",
    aiosmtplib.SMTPConnectTimeoutError: "{host} could not be reached in time.",
    aiosmtplib.SMTPReadTimeoutError: "{host} did not answer in time.",
    aiosmtplib.SMTPTimeoutError: "{host} did not answer in time.",
    aiosmtplib.SMTPConnectError: "{host} could not be reached.",
    aiosmtplib.SMTPServerDisconnected: "{host} broke off the connection.",
    aiosmtplib.SMTPNotSupported: "{host} lacks something that this message needs.",
    aiosmtplib.SMTPException: "{host} and this program found no way to sign in.",
}
"""The sentence for each failure of a mail server. None quotes the server."""

_REPLY_CODES: Final = range(200, 600)
_ENHANCED_CODE: Final = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?=\s|\Z)")
_MAILBOX_GONE_CODES: Final = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
"""Codes that concern the recipient alone (RFC 3463, RFC 7505). A bare 550 may also mean that this server may not send
there, which the administrator has to fix."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """The administrator's mail server, which may be in a private network.

    Without `username` there is no authentication. TLS is required: `starttls` upgrades after the greeting (RFC 3207,
    usually port 587), `implicit` starts with TLS (RFC 8314, usually port 465).
    """

    host: str
    port: int
    sender: str
    username: str = ""
    password: str = field(default="", repr=False)
    security: Literal["starttls", "implicit"] = "starttls"


@dataclass(frozen=True, slots=True)
class EmailTarget:
    """The receiver of an e-mail, and the server that sends it."""

    address: str
    server: SmtpServer


class _Client(aiosmtplib.SMTP):
    AUTH_METHODS = ("plain", "login")
    """Used after TLS only. More methods would turn one wrong password into several failures."""

    def close(self) -> None:
        """Abort: an orderly close of TLS waits half a minute for the peer."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()
        super().close()


async def send(
    message: Message,
    target: EmailTarget,
    *,
    tls: ssl.SSLContext | None = None,
    timeouts: Timeouts = MAIL_TIMEOUTS,
    resolve: Resolve = system_resolver,
) -> None:
    """Send `message` to exactly one recipient; the server's 250 means success.

    Raises:
        DeliveryFailed: permanent if `target.address` is not one address, or the mailbox does not exist.
        ValueError: if `tls` does not verify certificates.
    """
    server = replace(target.server, host=target.server.host.removesuffix("."))
    recipient = _checked_address(target.address, "This is not one e-mail address: {}", permanent=True)
    sender = _checked_address(server.sender, "The mail server's sender is not an e-mail address: {}", permanent=False)
    if not (is_host(server.host) or is_host(f"[{server.host}]")):
        raise DeliveryFailed(f"The mail server's name cannot be used: {sanitize(server.host, 100)}")
    context = require_verification(tls) if tls is not None else await asyncio.to_thread(system_trust)
    mail = compose(message, sender, recipient)
    try:
        with contextlib.ExitStack() as stack:
            async with asyncio.timeout(timeouts.total):
                client = await _connect(server, sender, context, timeouts, resolve)
                stack.callback(client.close)
                await _submit(client, server, mail, sender, recipient)
            # The mail is accepted; the reply to QUIT does not matter.
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=_QUIT_TIMEOUT_S)
    except aiosmtplib.SMTPException as error:
        raise _mail_failure(error, server.host) from error
    except NETWORK_ERRORS as error:
        raise delivery_failure(error, server.host) from error


def _checked_address(address: str, sentence: str, *, permanent: bool) -> str:
    try:
        return one_address(address)
    except InvalidEmail as error:
        raise DeliveryFailed(sentence.format(sanitize(address, 100)), permanent=permanent) from error


async def _connect(
    server: SmtpServer, sender: str, context: ssl.SSLContext, timeouts: Timeouts, resolve: Resolve
) -> aiosmtplib.SMTP:
    async def dial(address: str, seconds: float) -> socket.socket:
        return await _open_socket(address, server.port, seconds)

    addresses = await resolve_host(resolve, server.host, server.port)
    client = _Client(
        hostname=server.host,
        sock=await first_to_connect(addresses, timeouts.connect, dial),
        local_hostname=domain_of(sender),
        timeout=timeouts.total,
        use_tls=server.security == "implicit",
        start_tls=False,
        tls_context=context,
    )
    await client.connect()
    return client


async def _open_socket(address: str, port: int, seconds: float) -> socket.socket:
    connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    connection.setblocking(False)
    try:
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().sock_connect(connection, (address, port))
    except BaseException:  # a cancelled delivery too leaves no open socket
        connection.close()
        raise
    return connection


async def _submit(client: aiosmtplib.SMTP, server: SmtpServer, mail: EmailMessage, sender: str, recipient: str) -> None:
    await client.ehlo()
    if server.security == "starttls":
        if not client.supports_extension("starttls"):
            raise DeliveryFailed(f"{sanitize(server.host, 200)} offers no STARTTLS, so nothing was sent.")
        await client.starttls()
        await client.ehlo()
    if server.username:
        await client.login(server.username, server.password)
    await client.send_message(mail, sender=sender, recipients=[recipient])


def _mail_failure(error: aiosmtplib.SMTPException, host: str) -> DeliveryFailed:
    cause = error.__cause__
    if isinstance(cause, OSError) and not isinstance(cause, aiosmtplib.SMTPException):
        return delivery_failure(cause, host)
    reply_error = cause if isinstance(cause, aiosmtplib.SMTPException) else error
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        reply_error = error.recipients[0]
    code = enhanced = ""
    if isinstance(reply_error, aiosmtplib.SMTPResponseException):
        if reply_error.code not in _REPLY_CODES:
            return DeliveryFailed(sanitize(f"{host} did not answer in SMTP.", 300))
        match = _ENHANCED_CODE.match(reply_error.message)
        enhanced = match.group() if match else ""
        code = f" ({reply_error.code} {enhanced})" if match else f" ({reply_error.code})"
    sentence = next(SENTENCES[kind] for kind in type(reply_error).__mro__ if kind in SENTENCES)
    permanent = isinstance(reply_error, aiosmtplib.SMTPRecipientRefused) and enhanced in _MAILBOX_GONE_CODES
    return DeliveryFailed(sanitize(sentence.format(host=host, code=code), 300), permanent=permanent)
