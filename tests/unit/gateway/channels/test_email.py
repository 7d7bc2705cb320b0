"""E-mail against a real mail server that insists on TLS and AUTH."""

import asyncio
import ssl
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from hypothesis import HealthCheck, given, settings

from gateway.channels import email
from gateway.channels.email import EmailTarget, SmtpServer
from gateway.channels.message import Message
from gateway.connect import Timeouts
from store.errors import DeliveryFailed
from tests.fakes.certificate_authority import Authority
from tests.fakes.receivers import LoopThread, TcpReceiver
from tests.harness.channels import NOW, SMTP_PASSWORD, assert_try_again, failing
from tests.harness.outbound import LOOPBACK
from tests.unit.gateway.channels.mail_inputs import ADDRESSES, HEADERS, HOSTILE
from tests.unit.gateway.channels.mail_servers import (
    HOST,
    RECIPIENT,
    STARTTLS,
    MailServer,
    either_security,
    mail_server,
    sending,
)

# -- delivered


@either_security
def test_a_mail_was_handed_over_after_sign_in(
    loop_thread: LoopThread, authority: Authority, message: Message, server: SmtpServer
) -> None:
    with mail_server(loop_thread, authority, server) as receiver:
        asyncio.run(sending(message, authority, replace(server, host=f"{HOST}."), receiver.port))
    (mail,) = receiver.mails
    assert (mail.sender, mail.recipients, mail.user) == (server.sender, (RECIPIENT,), server.username)
    parsed = message_from_bytes(mail.content, policy=default)
    assert parsed["Subject"] == message.title
    assert set(parsed.keys()) - {"X-Peer", "X-MailFrom", "X-RcptTo"} == HEADERS


def test_without_a_user_name_nobody_signed_in(loop_thread: LoopThread, authority: Authority, message: Message) -> None:
    with mail_server(loop_thread, authority, STARTTLS) as receiver:
        error = failing(sending(message, authority, replace(STARTTLS, username=""), receiver.port))
    assert_try_again(error, "mail.example refused the sender (530 5.7.0).")
    assert receiver.sign_ins == []


def test_a_server_that_would_not_say_goodbye_had_the_mail_all_the_same(
    loop_thread: LoopThread, authority: Authority, message: Message
) -> None:
    with mail_server(loop_thread, authority, STARTTLS, QUIT="500 no") as receiver:
        asyncio.run(sending(message, authority, STARTTLS, receiver.port))
    assert len(receiver.mails) == 1


class SkippingLoop(asyncio.SelectorEventLoop):
    """A loop for which time passes when it is told."""

    skipped = 0.0

    def time(self) -> float:
        return super().time() + self.skipped

    def skip(self, seconds: float) -> None:
        self.skipped += seconds


def test_a_server_that_fell_silent_after_taking_the_mail_had_it_all_the_same(
    loop_thread: LoopThread, authority: Authority, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is silent beyond the time that all the rest may take."""
    monkeypatch.setattr(email, "_QUIT_TIMEOUT_S", 1000.0)
    patient = Timeouts(connect=90.0, total=900.0)

    class Silent(MailServer):
        async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
            loop.call_soon_threadsafe(loop.skip, 1100.0)
            await asyncio.Event().wait()
            return "221 too late"

    with Silent(loop_thread, authority.serve(HOST)) as receiver:
        loop = SkippingLoop()
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(sending(message, authority, STARTTLS, receiver.port, timeouts=patient))
    assert len(receiver.mails) == 1


@pytest.fixture(scope="module")
def open_server(loop_thread: LoopThread, authority: Authority) -> Any:
    with mail_server(loop_thread, authority, STARTTLS) as receiver:
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


IN_ONE_SESSION = (HealthCheck.function_scoped_fixture,)


@settings(max_examples=60, deadline=None, suppress_health_check=IN_ONE_SESSION)
@given(address=ADDRESSES, title=HOSTILE, text=HOSTILE)
def test_no_character_made_a_second_recipient(
    authority: Authority, open_server: MailServer, address: str, title: str, text: str
) -> None:
    deliver_or_refuse(authority, open_server, address, title, text)


@pytest.mark.long
@settings(max_examples=1_000, deadline=None, suppress_health_check=IN_ONE_SESSION)
@given(address=ADDRESSES, title=HOSTILE, text=HOSTILE)
def test_no_character_made_a_second_recipient_in_a_thousand(
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
    loop_thread: LoopThread, authority: Authority, message: Message
) -> None:
    with mail_server(loop_thread, authority, STARTTLS) as receiver:
        target = EmailTarget(RECIPIENT, replace(STARTTLS, port=receiver.port))
        error = failing(email.send(message, target, resolve=LOOPBACK))
    assert "certificate of mail.example was not accepted" in str(error)
    assert receiver.mails == []


@pytest.mark.parametrize("starttls", [True, False])
def test_a_password_never_left_without_tls(
    loop_thread: LoopThread, authority: Authority, message: Message, starttls: bool
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

    with TcpReceiver(loop_thread, stripping) as receiver:
        error = failing(sending(message, authority, STARTTLS, receiver.port))
    assert isinstance(error, DeliveryFailed)
    assert not error.permanent
    assert not [line for line in said if line[:4].upper() not in {b"EHLO", b"STAR"}]


def test_the_target_did_not_show_the_password() -> None:
    assert SMTP_PASSWORD not in repr(EmailTarget(RECIPIENT, STARTTLS))
