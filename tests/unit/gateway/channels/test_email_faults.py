"""The ways in which a mail server fails, under the same thirteen heads as the HTTP channels.

4 (too many connections) and 11 (no such name) have no other case than the one in `test_dispatcher_faults.py`.
"""

import asyncio
import inspect
import logging

import aiosmtplib
import pytest

from gateway.channels import email
from gateway.channels.email import SmtpServer
from gateway.channels.message import Message
from store.errors import DeliveryFailed
from tests.fakes.certificate_authority import Authority
from tests.fakes.receivers import Behaviour, LoopThread, TcpReceiver, drip, refused_port, reset, stall
from tests.harness.channels import SECRETS, SMTP_PASSWORD, assert_try_again, failing
from tests.harness.outbound import SHORT, resolving
from tests.unit.gateway.channels.mail_servers import (
    HOST,
    RECIPIENT,
    SERVERS,
    STARTTLS,
    MailServer,
    either_security,
    mail_server,
    sending,
)


@either_security
def test_1_refused(authority: Authority, message: Message, server: SmtpServer) -> None:
    error = failing(sending(message, authority, server, refused_port()))
    assert_try_again(error, "mail.example refused the connection.")


@either_security
def test_2_reset(loop_thread: LoopThread, authority: Authority, message: Message, server: SmtpServer) -> None:
    with TcpReceiver(loop_thread, reset) as receiver:
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
    loop_thread: LoopThread,
    authority: Authority,
    message: Message,
    server: SmtpServer,
    command: str,
    answer: str,
    sentence: str,
) -> None:
    """The server's own words, which may hold anything, are never repeated."""
    told = f"{answer} {SMTP_PASSWORD}"
    with mail_server(loop_thread, authority, server, **{command: told}) as receiver:
        assert_try_again(failing(sending(message, authority, server, receiver.port)), sentence)


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 200 OK\r\n", b"\r\n", b"999 \xff\r\n", b"2" * 40_000])
def test_3_what_is_not_smtp(loop_thread: LoopThread, authority: Authority, message: Message, greeting: bytes) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await stall(reader, writer)

    with TcpReceiver(loop_thread, babble) as receiver:
        error = failing(sending(message, authority, STARTTLS, receiver.port))
    assert_try_again(error, "mail.example did not answer in SMTP.")


@either_security
@pytest.mark.parametrize("answer", ["550 5.1.1 unknown", "556 5.1.10 null MX", "550 5.2.1 disabled"])
def test_5_a_mailbox_that_is_gone(
    loop_thread: LoopThread, authority: Authority, message: Message, server: SmtpServer, answer: str
) -> None:
    with mail_server(loop_thread, authority, server, RCPT=answer) as receiver:
        error = failing(sending(message, authority, server, receiver.port))
    assert isinstance(error, DeliveryFailed)
    assert (error.permanent, error.retry_after) == (True, None)


def test_6_a_mailbox_that_has_moved(loop_thread: LoopThread, authority: Authority, message: Message) -> None:
    """251 is the server's own forwarding; 551 names another address, which is not written to."""
    with mail_server(loop_thread, authority, STARTTLS, RCPT="251 will forward") as receiver:
        asyncio.run(sending(message, authority, STARTTLS, receiver.port))
        assert [mail.recipients for mail in receiver.mails] == [(RECIPIENT,)]
    with mail_server(loop_thread, authority, STARTTLS, RCPT="551 5.1.6 try <b@c.example>") as receiver:
        error = failing(sending(message, authority, STARTTLS, receiver.port))
    assert isinstance(error, DeliveryFailed)
    assert error.permanent
    assert receiver.mails == []


@either_security
@pytest.mark.parametrize("fault", [stall, drip], ids=["7 stall", "8 drip"])
def test_7_and_8_a_server_that_never_came_to_the_point(
    loop_thread: LoopThread, authority: Authority, message: Message, server: SmtpServer, fault: Behaviour
) -> None:
    tls = authority.serve(HOST) if server.security == "implicit" else None
    with TcpReceiver(loop_thread, fault, tls=tls) as receiver:
        error = failing(sending(message, authority, server, receiver.port, timeouts=SHORT))
    assert_try_again(error, "mail.example did not answer in time.")


def test_7_a_handshake_that_stalled(loop_thread: LoopThread, authority: Authority, message: Message) -> None:
    with TcpReceiver(loop_thread, stall) as receiver:
        error = failing(sending(message, authority, SERVERS[1], receiver.port, timeouts=SHORT))
    assert_try_again(error, "mail.example did not answer in time.")


@either_security
def test_9_bad_tls(loop_thread: LoopThread, authority: Authority, message: Message, server: SmtpServer) -> None:
    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers = {b"EHLO": b"250-mail.example\r\n250 STARTTLS\r\n", b"STAR": b"220 go\r\n"}
        if server.security == "starttls":
            writer.write(b"220 mail.example ESMTP\r\n")
            for _ in range(2):
                writer.write(answers[(await reader.readline())[:4].upper()])
        await reader.read(65536)
        writer.write(b"this is not TLS at all\r\n")
        await writer.drain()

    with TcpReceiver(loop_thread, garbage) as receiver:
        error = failing(sending(message, authority, server, receiver.port))
    assert_try_again(error, "A secure connection to mail.example could not be made.")


@either_security
def test_10_a_certificate_for_another_host(
    loop_thread: LoopThread, authority: Authority, message: Message, server: SmtpServer
) -> None:
    with mail_server(loop_thread, authority, server, "other.example", "127.0.0.1") as receiver:
        error = failing(sending(message, authority, server, receiver.port))
    assert_try_again(
        error,
        "The certificate of mail.example was not accepted: "
        "Hostname mismatch, certificate is not valid for 'mail.example'.",
    )
    assert receiver.sign_ins == []


@either_security
def test_12_a_host_with_ipv6_only(
    loop_thread: LoopThread, authority: Authority, message: Message, server: SmtpServer
) -> None:
    implicit = server.security == "implicit"
    with MailServer(loop_thread, authority.serve(HOST), implicit=implicit, host="::1") as receiver:
        asyncio.run(sending(message, authority, server, receiver.port, resolve=resolving("127.0.0.9", "::1")))
    assert len(receiver.mails) == 1


def test_a_wrong_password_was_tried_once_per_method_and_not_repeated_to_anyone(
    loop_thread: LoopThread, authority: Authority, message: Message, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), MailServer(loop_thread, authority.serve(HOST)) as receiver:
        receiver.password = "another"
        error = failing(sending(message, authority, STARTTLS, receiver.port))
    assert_try_again(error, "mail.example refused the user name or the password (535 5.7.8).")
    ours = [record for record in caplog.records if not record.name.startswith("mail")]
    assert [secret for secret in SECRETS for record in ours if secret in record.getMessage()] == []


def test_every_exception_of_aiosmtplib_had_a_sentence() -> None:
    foreign = [value for value in vars(aiosmtplib).values() if inspect.isclass(value) and issubclass(value, Exception)]
    assert len(foreign) >= 15
    assert [kind for kind in foreign if kind not in email.SENTENCES] == []
