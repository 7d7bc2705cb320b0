"""The administrator's mail server, as the e-mail tests set it up."""

from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from gateway.channels import email
from gateway.channels.email import EmailTarget, SmtpServer
from gateway.channels.message import Message
from gateway.connect import Resolve, Timeouts
from tests.fakes.certificate_authority import Authority
from tests.fakes.receivers import LoopThread, SmtpReceiver
from tests.harness.channels import SMTP_PASSWORD
from tests.harness.outbound import LOOPBACK, PATIENT

HOST = "mail.example"
RECIPIENT = "alice@example.com"

STARTTLS = SmtpServer(HOST, 587, "noreply@gateway.example", SmtpReceiver.username, SMTP_PASSWORD)
SERVERS = (STARTTLS, replace(STARTTLS, security="implicit"))

either_security = pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.security)


class MailServer(SmtpReceiver):
    """A mail server whose password is a canary."""

    password = SMTP_PASSWORD


def mail_server(
    loop_thread: LoopThread, authority: Authority, server: SmtpServer, *names: str, **answers: str
) -> MailServer:
    """A running mail server's stand-in, with a certificate for `names` and these replies to commands."""
    tls = authority.serve(*(names or (HOST,)))
    return MailServer(loop_thread, tls, implicit=server.security == "implicit", answers=answers)


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
    """The work of sending `message` to the server's stand-in on this port."""
    target = EmailTarget(address, replace(server, port=port))
    return email.send(message, target, tls=authority.trust(), timeouts=timeouts, resolve=resolve)
