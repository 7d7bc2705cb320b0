"""E-mail against a real mail server that insists on TLS and AUTH, and the ways in which one fails."""

import asyncio
import inspect
import logging
import socket
import ssl
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from typing import Any

import aiosmtplib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.channels import email
from gateway.channels.email import EmailTarget, SmtpServer
from gateway.channels.message import Message
from gateway.dialling import Resolve, Timeouts
from store.errors import DeliveryFailed
from tests.authority import Authority
from tests.receivers import Backstage, Behaviour, SmtpReceiver, TcpReceiver, drip, refused_port, reset, stall
from tests.unit.gateway.channels.settings import LOOPBACK, NOW, SECRETS, SHORT, SMTP_PASSWORD, failing, resolving
from tests.unit.gateway.channels.test_mail import HEADERS, HOSTILE

HOST = "mail.example"
RECIPIENT = "alice@example.com"
PATIENT = Timeouts()

STARTTLS = SmtpServer(HOST, 587, "noreply@gateway.example", SmtpReceiver.username, SMTP_PASSWORD)
SERVERS = (STARTTLS, replace(STARTTLS, security="implicit"))

either_security = pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.security)


class MailServer(SmtpReceiver):
    password = SMTP_PASSWORD


def mail_server(
    backstage: Backstage, authority: Authority, server: SmtpServer, *names: str, **answers: str
) -> MailServer:
    """A running mail server's stand-in, with a certificate for `names` and these replies to commands."""
    tls = authority.serve(*(names or (HOST,)))
    return MailServer(backstage, tls, implicit=server.security == "implicit", answers=answers)


def sending(
    message: Message,
    authority: Authority,
    server: SmtpServer,
    port: int,
    *,
    address: str = RECIPIENT,
    resolve: Resolve = LOOPBACK,
    timeouts: Timeouts = PATIENT,
) -> Coroutine[Any, Any, None]:
    target = EmailTarget(address, replace(server, port=port))
    return email.send(message, target, tls=authority.trust(), timeouts=timeouts, resolve=resolve)


def assert_try_again(error: object, sentence: str) -> None:
    assert isinstance(error, DeliveryFailed)
    assert (error.permanent, error.retry_after) == (False, None)
    assert str(error) == sentence


# -- delivered


@either_security
def test_a_mail_was_handed_over_after_sign_in(
    backstage: Backstage, authority: Authority, message: Message, server: SmtpServer
) -> None:
    with mail_server(backstage, authority, server) as receiver:
        asyncio.run(sending(message, authority, server, receiver.port))
    (mail,) = receiver.mails
    assert (mail.sender, mail.recipients, mail.user) == (server.sender, (RECIPIENT,), server.username)
    parsed = message_from_bytes(mail.content, policy=default)
    assert parsed["Subject"] == message.title
    assert set(parsed.keys()) - {"X-Peer", "X-MailFrom", "X-RcptTo"} == HEADERS


def test_without_a_user_name_nobody_signed_in(backstage: Backstage, authority: Authority, message: Message) -> None:
    with mail_server(backstage, authority, STARTTLS) as receiver:
        error = failing(sending(message, authority, replace(STARTTLS, username=""), receiver.port))
    assert_try_again(error, "mail.example refused the sender (530 5.7.0).")
    assert receiver.sign_ins == []


def test_a_server_that_would_not_say_goodbye_had_the_mail_all_the_same(
    backstage: Backstage, authority: Authority, message: Message
) -> None:
    with mail_server(backstage, authority, STARTTLS, QUIT="500 no") as receiver:
        asyncio.run(sending(message, authority, STARTTLS, receiver.port))
    assert len(receiver.mails) == 1


@pytest.fixture(scope="module")
def open_server(backstage: Backstage, authority: Authority) -> Any:
    with mail_server(backstage, authority, STARTTLS) as receiver:
        yield receiver


def deliver_or_refuse(authority: Authority, receiver: MailServer, address: str, title: str, text: str) -> None:
    """Exactly one envelope recipient and no foreign header at the server, or a typed error."""
    before = len(receiver.mails)
    message = Message("evt_1", "quota.low", title, text, NOW, {})
    try:
        asyncio.run(sending(message, authority, STARTTLS, receiver.port, address=address))
    except DeliveryFailed:
        assert len(receiver.mails) == before
        return
    assert len(receiver.mails) == before + 1
    mail = receiver.mails[-1]
    assert len(mail.recipients) == 1
    assert mail.recipients[0].partition("@")[0] == address.partition("@")[0]
    parsed = message_from_bytes(mail.content, policy=default)
    assert set(parsed.keys()) - {"X-Peer", "X-MailFrom", "X-RcptTo"} == HEADERS
    assert [found.addr_spec for found in parsed["To"].addresses] == list(mail.recipients)


ADDRESSES = st.one_of(st.emails(), HOSTILE.map(lambda text: f"alice@example.com{text}"), HOSTILE)
IN_ONE_SESSION = (HealthCheck.function_scoped_fixture,)


@settings(max_examples=60, deadline=None, suppress_health_check=IN_ONE_SESSION)
@given(address=ADDRESSES, title=HOSTILE, text=HOSTILE)
def test_no_character_made_a_second_recipient(
    authority: Authority, open_server: MailServer, address: str, title: str, text: str
) -> None:
    deliver_or_refuse(authority, open_server, address, title, text)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None, suppress_health_check=IN_ONE_SESSION)
@given(address=ADDRESSES, title=HOSTILE, text=HOSTILE)
def test_no_character_made_a_second_recipient_in_ten_thousand(
    authority: Authority, open_server: MailServer, address: str, title: str, text: str
) -> None:
    deliver_or_refuse(authority, open_server, address, title, text)


# -- refused before anything was sent


@pytest.mark.parametrize("address", ["", "alice", "a@b.example;c@d.example", "alice@example.com\r\nBcc: b@c.example"])
def test_what_is_not_one_address_was_a_permanent_failure(authority: Authority, message: Message, address: str) -> None:
    error = failing(sending(message, authority, STARTTLS, 1, address=address))
    assert isinstance(error, DeliveryFailed)
    assert error.permanent
    assert str(error).startswith("This is not one e-mail address: ")


def test_what_only_the_administrator_can_mend_was_not_permanent(authority: Authority, message: Message) -> None:
    error = failing(sending(message, authority, replace(STARTTLS, sender="Gatekey <x@y.example>"), 1))
    assert_try_again(error, "The mail server's sender is not an e-mail address: Gatekey <x@y.example>")
    error = failing(sending(message, authority, replace(STARTTLS, host="mail example\r\n"), 1))
    assert isinstance(error, DeliveryFailed)
    assert not error.permanent


def test_a_context_that_does_not_verify_was_not_taken(message: Message) -> None:
    lax = ssl.create_default_context()
    lax.check_hostname = False
    lax.verify_mode = ssl.CERT_NONE
    with pytest.raises(ValueError, match="verify"):
        asyncio.run(email.send(message, EmailTarget(RECIPIENT, STARTTLS), tls=lax))


def test_the_system_s_authorities_were_trusted_by_default(
    backstage: Backstage, authority: Authority, message: Message
) -> None:
    with mail_server(backstage, authority, STARTTLS) as receiver:
        target = EmailTarget(RECIPIENT, replace(STARTTLS, port=receiver.port))
        error = failing(email.send(message, target, resolve=LOOPBACK))
    assert "certificate of mail.example was not accepted" in str(error)
    assert receiver.mails == []


@pytest.mark.parametrize("starttls", [True, False])
def test_a_password_never_left_without_tls(
    backstage: Backstage, authority: Authority, message: Message, starttls: bool
) -> None:
    """Whoever strips STARTTLS from the greeting gets neither the password nor the mail."""
    said: list[bytes] = []

    async def stripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        while line := await reader.readline():
            said.append(line)
            offers = b"250-STARTTLS\r\n" if starttls else b""
            answers = {b"EHLO": b"250-mail.example\r\n" + offers + b"250 AUTH PLAIN LOGIN\r\n"}
            writer.write(answers.get(line[:4].upper(), b"454 TLS not available\r\n"))

    with TcpReceiver(backstage, stripping) as receiver:
        error = failing(sending(message, authority, STARTTLS, receiver.port))
    assert isinstance(error, DeliveryFailed)
    assert not error.permanent
    assert not [line for line in said if line[:4].upper() not in {b"EHLO", b"STAR"}]


def test_the_target_did_not_show_the_password() -> None:
    assert SMTP_PASSWORD not in repr(EmailTarget(RECIPIENT, STARTTLS))


# -- thirteen faults


@either_security
def test_1_refused(authority: Authority, message: Message, server: SmtpServer) -> None:
    error = failing(sending(message, authority, server, refused_port()))
    assert_try_again(error, "mail.example refused the connection.")


@either_security
def test_2_reset(backstage: Backstage, authority: Authority, message: Message, server: SmtpServer) -> None:
    with TcpReceiver(backstage, reset) as receiver:
        error = failing(sending(message, authority, server, receiver.port))
    assert_try_again(error, "mail.example broke off the connection.")


@either_security
@pytest.mark.parametrize(
    ("command", "answer", "sentence"),
    [
        ("MAIL", "550 5.7.1 not you", "mail.example refused the sender (550 5.7.1)."),
        ("RCPT", "450 4.2.0 greylisted", "mail.example refused the recipient (450 4.2.0)."),
        ("RCPT", "550 5.7.1 relaying denied", "mail.example refused the recipient (550 5.7.1)."),
        ("RCPT", "550 no such user", "mail.example refused the recipient (550)."),
        ("RCPT", "552 5.2.2 mailbox full", "mail.example refused the recipient (552 5.2.2)."),
        ("DATA", "451 4.3.0 later", "mail.example refused the message (451 4.3.0)."),
        ("DATA", "554 5.1.1 spam", "mail.example refused the message (554 5.1.1)."),
    ],
)
def test_3_an_error_reply(
    backstage: Backstage,
    authority: Authority,
    message: Message,
    server: SmtpServer,
    command: str,
    answer: str,
    sentence: str,
) -> None:
    """The server's own words, which may hold anything, are never repeated."""
    told = f"{answer} {SMTP_PASSWORD}"
    with mail_server(backstage, authority, server, **{command: told}) as receiver:
        assert_try_again(failing(sending(message, authority, server, receiver.port)), sentence)


def test_4_too_many_connections(backstage: Backstage, authority: Authority, message: Message) -> None:
    async def busy(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"421 4.7.0 too many connections\r\n")
        await writer.drain()

    with TcpReceiver(backstage, busy) as receiver:
        error = failing(sending(message, authority, STARTTLS, receiver.port))
    assert_try_again(error, "mail.example takes no mail at the moment (421 4.7.0).")


@either_security
@pytest.mark.parametrize("answer", ["550 5.1.1 unknown", "556 5.1.10 null MX", "550 5.2.1 disabled"])
def test_5_a_mailbox_that_is_gone(
    backstage: Backstage, authority: Authority, message: Message, server: SmtpServer, answer: str
) -> None:
    with mail_server(backstage, authority, server, RCPT=answer) as receiver:
        error = failing(sending(message, authority, server, receiver.port))
    assert isinstance(error, DeliveryFailed)
    assert (error.permanent, error.retry_after) == (True, None)


def test_6_a_mailbox_that_has_moved(backstage: Backstage, authority: Authority, message: Message) -> None:
    """251 is the server's own forwarding; 551 names another address, which is not written to."""
    with mail_server(backstage, authority, STARTTLS, RCPT="251 will forward") as receiver:
        asyncio.run(sending(message, authority, STARTTLS, receiver.port))
        assert [mail.recipients for mail in receiver.mails] == [(RECIPIENT,)]
    with mail_server(backstage, authority, STARTTLS, RCPT="551 5.1.6 try <b@c.example>") as receiver:
        error = failing(sending(message, authority, STARTTLS, receiver.port))
    assert isinstance(error, DeliveryFailed)
    assert error.permanent
    assert receiver.mails == []


@either_security
@pytest.mark.parametrize("fault", [stall, drip], ids=["7 stall", "8 drip"])
def test_7_and_8_a_server_that_never_came_to_the_point(
    backstage: Backstage, authority: Authority, message: Message, server: SmtpServer, fault: Behaviour
) -> None:
    tls = authority.serve(HOST) if server.security == "implicit" else None
    with TcpReceiver(backstage, fault, tls=tls) as receiver:
        error = failing(sending(message, authority, server, receiver.port, timeouts=SHORT))
    assert_try_again(error, "mail.example did not answer in time.")


def test_7_a_handshake_that_stalled(backstage: Backstage, authority: Authority, message: Message) -> None:
    with TcpReceiver(backstage, stall) as receiver:
        error = failing(sending(message, authority, SERVERS[1], receiver.port, timeouts=SHORT))
    assert_try_again(error, "mail.example did not answer in time.")


@either_security
def test_9_bad_tls(backstage: Backstage, authority: Authority, message: Message, server: SmtpServer) -> None:
    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers = {b"EHLO": b"250-mail.example\r\n250 STARTTLS\r\n", b"STAR": b"220 go\r\n"}
        if server.security == "starttls":
            writer.write(b"220 mail.example ESMTP\r\n")
            for _ in range(2):
                writer.write(answers[(await reader.readline())[:4].upper()])
        await reader.read(65536)
        writer.write(b"this is not TLS at all\r\n")
        await writer.drain()

    with TcpReceiver(backstage, garbage) as receiver:
        error = failing(sending(message, authority, server, receiver.port))
    assert_try_again(error, "A secure connection to mail.example could not be made.")


@either_security
def test_10_a_certificate_for_another_host(
    backstage: Backstage, authority: Authority, message: Message, server: SmtpServer
) -> None:
    with mail_server(backstage, authority, server, "other.example", "127.0.0.1") as receiver:
        error = failing(sending(message, authority, server, receiver.port))
    assert_try_again(
        error,
        "The certificate of mail.example was not accepted: "
        "Hostname mismatch, certificate is not valid for 'mail.example'.",
    )
    assert receiver.sign_ins == []


def test_11_no_such_name(authority: Authority, message: Message) -> None:
    async def nowhere(_: str, __: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    error = failing(sending(message, authority, STARTTLS, 1, resolve=nowhere))
    assert_try_again(error, "The name mail.example could not be resolved.")


@either_security
def test_12_a_host_with_ipv6_only(
    backstage: Backstage, authority: Authority, message: Message, server: SmtpServer
) -> None:
    implicit = server.security == "implicit"
    with MailServer(backstage, authority.serve(HOST), implicit=implicit, host="::1") as receiver:
        asyncio.run(sending(message, authority, server, receiver.port, resolve=resolving("127.0.0.9", "::1")))
    assert len(receiver.mails) == 1


def test_a_wrong_password_was_tried_once_per_method_and_not_repeated_to_anyone(
    backstage: Backstage, authority: Authority, message: Message, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), MailServer(backstage, authority.serve(HOST)) as receiver:
        receiver.password = "another"
        error = failing(sending(message, authority, STARTTLS, receiver.port))
    assert_try_again(error, "mail.example refused the user name or the password (535 5.7.8).")
    ours = [record for record in caplog.records if not record.name.startswith("mail")]
    assert [secret for secret in SECRETS for record in ours if secret in record.getMessage()] == []


def test_every_exception_of_aiosmtplib_had_a_sentence() -> None:
    foreign = [value for value in vars(aiosmtplib).values() if inspect.isclass(value) and issubclass(value, Exception)]
    assert len(foreign) >= 15
    assert [kind for kind in foreign if kind not in email.SENTENCES] == []
