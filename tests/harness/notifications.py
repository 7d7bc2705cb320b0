"""People who are warned on the four channels, and the receivers on loopback that the warnings reach."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Final

from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select

from gateway.connect import Resolve, Timeouts, system_resolver
from gateway.dispatcher import DeliveryTransports
from store.models import Delivery
from store.secret_fields import StoredSecret
from store.sections import Channel, NotificationSettings
from store.store import Store
from store.values.notifications import LastDelivery
from tests.fakes.certificate_authority import Authority
from tests.fakes.receivers import HttpReceiver, LoopThread, Recorded, SmtpReceiver, reply
from tests.harness.channels import DEVICE_KEY, GOTIFY_TOKEN, WEBHOOK_PATH, WEBHOOK_SECRET
from tests.harness.quota_calls import spend_quota
from tests.harness.stores import add_account

HOST: Final = "127.0.0.1"
BY_HTTP: Final = (Channel.WEBHOOK, Channel.BARK, Channel.GOTIFY)


class Mailbox(SmtpReceiver):
    """A mail server that writes down the id of every message it was handed, taken or not."""

    def __init__(self, loop_thread: LoopThread, authority: Authority) -> None:
        super().__init__(loop_thread, authority.serve(HOST, "localhost"))
        self.ids: list[str] = []
        self.answers: dict[str, str] = {}
        self._answers = self.answers

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        parsed = message_from_bytes(envelope.original_content or b"")
        self.ids.append(str(parsed["Message-ID"]).strip("<>").partition("@")[0])
        return await super().handle_DATA(server, session, envelope)


@dataclass(frozen=True)
class NotificationReceivers:
    """A receiver for each channel."""

    web: Mapping[Channel, HttpReceiver]
    mail: Mailbox
    authority: Authority = field(repr=False)

    def ids(self, channel: Channel) -> list[str]:
        """The id of each message that came in, in order, repetitions too."""
        if channel is Channel.EMAIL:
            return list(self.mail.ids)
        return [id_of(channel, request) for request in list(self.web[channel].requests)]

    def break_down(self) -> None:
        """From now on every message is turned away, with the advice to come back."""
        self.mail.answers["DATA"] = "451 4.3.0 later"
        for receiver in self.web.values():
            receiver.respond = reply(503)

    def recover(self) -> None:
        """From now on every message is taken."""
        self.mail.answers.clear()
        for receiver in self.web.values():
            receiver.respond = reply(200)

    @property
    def origins(self) -> dict[Channel, str]:
        """The origin of each HTTP channel's receiver."""
        return {channel: f"http://{HOST}:{receiver.port}" for channel, receiver in self.web.items()}

    def ways(self, resolve: Resolve = system_resolver) -> DeliveryTransports:
        """Transports that reach these receivers."""
        patience = Timeouts(connect=20.0, total=60.0)
        return DeliveryTransports(self.authority.trust, resolve, web_timeouts=patience, mail_timeouts=patience)


@contextmanager
def notification_receivers(loop_thread: LoopThread, authority: Authority) -> Iterator[NotificationReceivers]:
    """The four receivers, while the context is open."""
    with (
        HttpReceiver(loop_thread) as webhook,
        HttpReceiver(loop_thread) as bark,
        HttpReceiver(loop_thread) as gotify,
        Mailbox(loop_thread, authority) as mail,
    ):
        web = {Channel.WEBHOOK: webhook, Channel.BARK: bark, Channel.GOTIFY: gotify}
        yield NotificationReceivers(web, mail, authority)


def id_of(channel: Channel, request: Recorded) -> str:
    """The message's id, where this channel carries it."""
    if channel is Channel.WEBHOOK:
        return request.headers["webhook-id"]
    body = json.loads(request.body)
    return str(body["id"] if channel is Channel.BARK else body["extras"]["gatekey::message"]["id"])


def use_mail(store: Store, host: str, port: int, security: str = "starttls") -> None:
    """Configure the site's mail server."""
    store.site.set("smtp.host", host)
    store.site.set("smtp.port", str(port))
    store.site.set("smtp.security", security)
    store.site.set("smtp.sender", "noreply@gateway.example")
    store.site.set("smtp.username", SmtpReceiver.username)
    store.site.set("smtp.password", SmtpReceiver.password)


def use(store: Store, boxes: NotificationReceivers) -> None:
    """Configure the site so that messages can reach all of `boxes`."""
    use_mail(store, HOST, boxes.mail.port)
    allow(store, *(f"{HOST}:{receiver.port}" for receiver in boxes.web.values()))


def allow(store: Store, *entries: str) -> None:
    """Let these private `host:port` be written to, and no others."""
    store.site.set("channels.private_network_allow", ",".join(entries))


def targets(origins: Mapping[Channel, str], *, by_mail: bool = False) -> NotificationSettings:
    """The settings of somebody warned on the channels of `origins`, such as `http://127.0.0.1:8080`."""
    return NotificationSettings(
        email_on=by_mail,
        webhook_on=Channel.WEBHOOK in origins,
        bark_on=Channel.BARK in origins,
        gotify_on=Channel.GOTIFY in origins,
        webhook_url=f"{origins.get(Channel.WEBHOOK, 'https://hooks.example')}/{WEBHOOK_PATH}",
        webhook_secret=StoredSecret(new=WEBHOOK_SECRET),
        bark_url=StoredSecret(new=f"{origins.get(Channel.BARK, 'https://bark.example')}/{DEVICE_KEY}"),
        gotify_url=origins.get(Channel.GOTIFY, "https://gotify.example"),
        gotify_token=StoredSecret(new=GOTIFY_TOKEN),
    )


def add_person(store: Store, name: str, section: NotificationSettings) -> int:
    """An account with five dollars and these settings; returns its id."""
    account = add_account(store, name, email=f"{name}@example.com")
    store.settings.save_for(account.id, section, 1, actor="test")
    return account.id


def spend(store: Store, account_id: int) -> None:
    """Fall below the threshold: a warning is queued on every channel that is on."""
    spend_quota(store, account_id, 4_500_000)


def latest(store: Store, account_id: int) -> dict[Channel, LastDelivery]:
    """The state of the newest delivery on each channel of an account."""
    return {one.channel: one for one in deliveries(store, account_id)}


def deliveries(store: Store, account_id: int) -> list[LastDelivery]:
    """The state of every delivery to an account, oldest first."""
    with store.database.read() as tx:
        of_account = select(Delivery.c.id).where(Delivery.c.account_id == account_id).order_by(Delivery.c.id)
        numbers = tx.execute(of_account).scalars().all()
    found = [store.deliveries.find(number) for number in numbers]
    return [one for one in found if one is not None]
