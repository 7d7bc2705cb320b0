"""Thirteen ways in which a receiver fails, on four channels, through the dispatcher: what the store says afterwards."""

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from gateway.connect import Resolve, Timeouts
from gateway.dispatcher import DeliveryTransports, Dispatcher
from store.sections import Channel, NotificationSettings
from store.store import Store
from store.values.notifications import DeliveryState
from tests.fakes.certificate_authority import Authority
from tests.fakes.receivers import (
    Behaviour,
    HttpReceiver,
    LoopThread,
    Respond,
    TcpReceiver,
    drip,
    refused_port,
    reply,
    reset,
    stall,
    then,
)
from tests.harness.channels import SECRETS
from tests.harness.notifications import BY_HTTP, add_person, allow, latest, spend, targets, use_mail
from tests.harness.outbound import LOOPBACK, resolving
from tests.harness.stores import make_store
from tests.unit.gateway.channels.mail_servers import STARTTLS, MailServer

PUSH: Final = "push.example"
MAIL: Final = "mail.example"
HASTY: Final = Timeouts(connect=5.0, total=0.4)
SOON: Final = (4.5, 5.5)
"""Seconds until the second attempt: five, and a tenth more or less."""
AS_ASKED: Final = (120.0, 132.0)


@dataclass(frozen=True)
class Ending:
    """The state of a delivery after its first attempt."""

    says: str = ""
    state: DeliveryState = DeliveryState.WAITING
    wait: tuple[float, float] | None = SOON
    """Seconds until the next attempt, from and to; None: there is none."""
    is_on: bool = True
    """True if the account still wants to be warned on this channel."""


DELIVERED: Final = Ending(state=DeliveryState.DELIVERED, wait=None)


def dead(says: str) -> Ending:
    """Given up at once, and the channel switched off with the reason."""
    return Ending(f"{says} The channel was switched off.", DeliveryState.FAILED, None, is_on=False)


@dataclass(frozen=True)
class Place:
    """The destination of a message: a port that fails in some way, and the resolver that leads there."""

    port: int
    resolve: Resolve = LOOPBACK
    patience: Timeouts = field(default_factory=Timeouts)
    is_listed: bool = True
    scheme: str = "http"
    untouched: Callable[[], bool] = lambda: True
    """True if nothing arrived where nothing may arrive."""


StartReceiver = Callable[[ExitStack, LoopThread, Authority], Place]


async def nowhere(_: str, __: int) -> Sequence[str]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def refused(_: ExitStack, __: LoopThread, ___: Authority) -> Place:
    return Place(refused_port())


def unnamed(_: ExitStack, __: LoopThread, ___: Authority) -> Place:
    return Place(443, resolve=nowhere)


# -- receivers of Webhook, Bark and Gotify


def answering(respond: Respond, patience: Timeouts | None = None) -> StartReceiver:
    def start(stack: ExitStack, loop_thread: LoopThread, _: Authority) -> Place:
        receiver = stack.enter_context(HttpReceiver(loop_thread, respond))
        return Place(receiver.port, patience=patience or Timeouts())

    return start


def redirecting(stack: ExitStack, loop_thread: LoopThread, authority: Authority) -> Place:
    internal = stack.enter_context(HttpReceiver(loop_thread))
    location = {"Location": f"http://127.0.0.1:{internal.port}/"}
    place = answering(reply(302, location))(stack, loop_thread, authority)
    return replace(place, untouched=lambda: internal.connections == 0)


def plaintext(stack: ExitStack, loop_thread: LoopThread, _: Authority) -> Place:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await writer.drain()

    return Place(stack.enter_context(TcpReceiver(loop_thread, speak)).port, scheme="https")


def misnamed(stack: ExitStack, loop_thread: LoopThread, authority: Authority) -> Place:
    receiver = stack.enter_context(HttpReceiver(loop_thread, tls=authority.serve("other.example", "127.0.0.1")))
    return Place(receiver.port, scheme="https", untouched=lambda: receiver.requests == [])


def over_ipv6(stack: ExitStack, loop_thread: LoopThread, _: Authority) -> Place:
    return Place(stack.enter_context(HttpReceiver(loop_thread, host="::1")).port, resolve=resolving("::1"))


def rebound(stack: ExitStack, loop_thread: LoopThread, _: Authority) -> Place:
    internal = stack.enter_context(HttpReceiver(loop_thread))
    return Place(internal.port, is_listed=False, untouched=lambda: internal.connections == 0)


OVER_HTTP: Final[Mapping[str, tuple[StartReceiver, Ending]]] = {
    "1 refused": (refused, Ending("push.example refused the connection.")),
    "2 reset": (answering(then(reset)), Ending("push.example broke off the connection.")),
    "3 error": (answering(reply(500, {"Retry-After": "120"})), Ending("push.example answered 500 ")),
    "4 too many": (answering(reply(429, {"Retry-After": "120"})), Ending("push.example answered 429 ", wait=AS_ASKED)),
    "5 gone": (answering(reply(410)), dead("push.example answered 410 Gone. It wants no more notifications.")),
    "6 moved": (redirecting, Ending("push.example answered 302 Found. Redirects are not followed")),
    "7 stall": (answering(then(stall), HASTY), Ending("push.example did not answer in time.")),
    "8 drip": (
        answering(then(drip, b"HTTP/1.1 200 OK\r\n\r\n"), HASTY),
        Ending("push.example did not answer in time."),
    ),
    "9 bad TLS": (plaintext, Ending("A secure connection to push.example could not be made.")),
    "10 certificate": (misnamed, Ending("The certificate of push.example was not accepted: ")),
    "11 no name": (unnamed, Ending("The name push.example could not be resolved.")),
    "12 IPv6 only": (over_ipv6, DELIVERED),
    "13 rebinding": (rebound, Ending("push.example lies in a private network. The administrator can allow it ")),
}


# -- mail servers


def mail(**answers: str) -> StartReceiver:
    def start(stack: ExitStack, loop_thread: LoopThread, authority: Authority) -> Place:
        return Place(stack.enter_context(MailServer(loop_thread, authority.serve(MAIL), answers=answers)).port)

    return start


def mail_by(behaviour: Behaviour, patience: Timeouts | None = None) -> StartReceiver:
    def start(stack: ExitStack, loop_thread: LoopThread, _: Authority) -> Place:
        receiver = stack.enter_context(TcpReceiver(loop_thread, behaviour))
        return Place(receiver.port, patience=patience or Timeouts())

    return start


async def busy(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"421 4.7.0 too many connections\r\n")
    await writer.drain()


async def no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ESMTP\r\n")
    for answer in (b"250-mail.example\r\n250 STARTTLS\r\n", b"220 go\r\n"):
        await reader.readline()
        writer.write(answer)
    await reader.read(65536)
    writer.write(b"this is not TLS at all\r\n")
    await writer.drain()


def mail_with(serve: Callable[[Authority], tuple[Authority, str]], host: str = "127.0.0.1") -> StartReceiver:
    """A mail server whose certificate is of this authority and for this name."""

    def start(stack: ExitStack, loop_thread: LoopThread, authority: Authority) -> Place:
        issuer, name = serve(authority)
        server = stack.enter_context(MailServer(loop_thread, issuer.serve(name), host=host))
        is_right = issuer is authority and name == MAIL
        return Place(server.port, resolve=resolving(host), untouched=lambda: is_right or server.sign_ins == [])

    return start


OVER_SMTP: Final[Mapping[str, tuple[StartReceiver, Ending]]] = {
    "1 refused": (refused, Ending("mail.example refused the connection.")),
    "2 reset": (mail_by(reset), Ending("mail.example broke off the connection.")),
    "3 error": (mail(RCPT="450 4.2.0 greylisted"), Ending("mail.example refused the recipient (450 4.2.0).")),
    "4 too many": (mail_by(busy), Ending("mail.example takes no mail at the moment (421 4.7.0).")),
    "5 gone": (mail(RCPT="550 5.1.1 unknown"), dead("mail.example refused the recipient (550 5.1.1).")),
    "6 moved": (mail(RCPT="551 5.1.6 try <b@c.example>"), dead("mail.example refused the recipient (551 5.1.6).")),
    "7 stall": (mail_by(stall, HASTY), Ending("mail.example did not answer in time.")),
    "8 drip": (mail_by(drip, HASTY), Ending("mail.example did not answer in time.")),
    "9 bad TLS": (mail_by(no_tls), Ending("A secure connection to mail.example could not be made.")),
    "10 certificate": (
        mail_with(lambda authority: (authority, "other.example")),
        Ending("The certificate of mail.example was not accepted: Hostname mismatch"),
    ),
    "11 no name": (unnamed, Ending("The name mail.example could not be resolved.")),
    "12 IPv6 only": (mail_with(lambda authority: (authority, MAIL), "::1"), DELIVERED),
    # The administrator's server may be private, so here it is the certificate that gives the impostor away.
    "13 rebinding": (
        mail_with(lambda _: (Authority(), MAIL)),
        Ending("The certificate of mail.example was not accepted: "),
    ),
}
CELLS: Final = [(Channel.EMAIL, name) for name in OVER_SMTP] + [(one, name) for one in BY_HTTP for name in OVER_HTTP]


@contextmanager
def in_trouble(
    store: Store, loop_thread: LoopThread, authority: Authority, channel: Channel, start_receiver: StartReceiver
) -> Iterator[tuple[Place, NotificationSettings]]:
    """A receiver that fails, and the settings of somebody who is warned there."""
    with ExitStack() as stack:
        place = start_receiver(stack, loop_thread, authority)
        allow(store, f"{PUSH if place.is_listed else 'elsewhere.example'}:{place.port}")
        if channel is Channel.EMAIL:
            use_mail(store, STARTTLS.host, place.port)
            store.site.set("smtp.password", MailServer.password)
            yield place, targets({}, by_mail=True)
        else:
            yield place, targets({channel: f"{place.scheme}://{PUSH}:{place.port}"})


def ending(store: Store, account_id: int, channel: Channel) -> Ending:
    """The state of an account's only delivery."""
    (last,) = latest(store, account_id).values()
    wait = None if last.next_attempt_at is None else (last.next_attempt_at - store.context.now()).total_seconds()
    is_on = channel in store.settings.load_for(account_id, NotificationSettings).section.channels
    assert (last.channel, last.attempts, last.at) == (channel, 1, store.context.now())
    return Ending(last.error, last.state, None if wait is None else (wait, wait), is_on)


def is_as(found: Ending, expected: Ending) -> bool:
    """True if a delivery ended as expected, with a sentence that tells no secret."""
    if found.wait is None or expected.wait is None:
        waits = found.wait == expected.wait
    else:
        waits = expected.wait[0] <= found.wait[0] <= expected.wait[1]
    says = found.says.startswith(expected.says) and bool(found.says) == bool(expected.says)
    tells = [secret for secret in SECRETS if secret in found.says]
    return (found.state, found.is_on) == (expected.state, expected.is_on) and waits and says and not tells


def test_every_fault_on_every_channel_ended_in_the_right_state(loop_thread: LoopThread, authority: Authority) -> None:
    wrong = {}
    with make_store() as store:
        for number, (channel, name) in enumerate(CELLS):
            start_receiver, expected = (OVER_SMTP if channel is Channel.EMAIL else OVER_HTTP)[name]
            with in_trouble(store, loop_thread, authority, channel, start_receiver) as (place, section):
                account_id = add_person(store, f"user{number}", section)
                spend(store, account_id)
                ways = DeliveryTransports(authority.trust, place.resolve, place.patience, place.patience)
                delivered = asyncio.run(Dispatcher(store, ways).run_due()).delivered
            found = ending(store, account_id, channel)
            is_right = is_as(found, expected) and place.untouched() and delivered == (expected is DELIVERED)
            if not is_right:
                wrong[f"{channel}: {name}"] = (found, place.untouched(), delivered)
    print(f"BAR N1 channel faults that ended in the right state: {len(CELLS) - len(wrong)}/{len(CELLS)}")
    assert wrong == {}
    assert len(CELLS) == 13 * 4
