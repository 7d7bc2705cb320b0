"""Where a message goes, read at the moment it is sent: what was saved since it was queued is what counts."""

import logging
from dataclasses import dataclass
from typing import Final, Literal

from gateway.addresses import ALLOWED, AllowList
from gateway.channels.bark import BarkTarget
from gateway.channels.email import EmailTarget, SmtpServer
from gateway.channels.gotify import GotifyTarget
from gateway.channels.webhook import WebhookTarget
from store.email_route import CONFIRM_EMAIL
from store.errors import DeliveryFailed
from store.outbox import QUOTA_WARNING, TEST, Job
from store.sections import Channel, NotificationSettings
from store.store import Store

Target = EmailTarget | WebhookTarget | BarkTarget | GotifyTarget
LOGGER: Final = logging.getLogger("gatekey.dispatcher")
_SWITCHED_OFF: Final = "The channel was switched off before this was sent."
_NO_LONGER_LOW: Final = "The quota was topped up, or the threshold lowered, before this was sent."
_NO_ADDRESS: Final = "There is no address saved for this channel."
_OTHER_ADDRESS: Final = "Another notification e-mail was chosen, or this one confirmed, before the code was sent."
_UNCONFIRMED: Final = "The notification e-mail is not confirmed yet. Send test sends the code for it."
_BARK_KEY: Final = "bark_encryption_key"
_NO_MAIL_SERVER: Final = "The administrator has not configured a mail server."
_SECRETS: Final = {
    Channel.WEBHOOK: "webhook_secret",
    Channel.BARK: "bark_url",
    Channel.GOTIFY: "gotify_token",
}
"""The column that holds what a channel keeps secret."""
_CHOSEN: Final = (QUOTA_WARNING, TEST)
"""Kinds that go where the account's settings say. Security notices go to the account's own address."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A target, what the administrator allows, and the version of the settings it was read from."""

    target: Target
    allow: AllowList
    version: int | None
    """None for a message that follows no settings."""


def destination(store: Store, job: Job) -> Destination:
    """Where `job` goes. Reads the database and opens secrets: not for the event loop.

    Raises:
        DeliveryFailed: permanent if the channel was switched off or has no address, or if what it warns of is over.
        StoreUnavailable: if the data cannot be read.
    """
    allow = AllowList.read(store.site.items(ALLOWED))
    for sentence in allow.unreadable:
        LOGGER.warning("%s: %s", ALLOWED, sentence)
    if job.kind == CONFIRM_EMAIL and job.account_id is not None:
        with store.database.read() as tx:
            waiting = store.email_confirmations.route_of(tx, job.account_id).unconfirmed
        if waiting != job.recipient:
            raise DeliveryFailed(_OTHER_ADDRESS, permanent=True)
    if job.recipient is not None or job.account_id is None:
        return Destination(_email(store, job.recipient or ""), allow, None)
    account = store.accounts.get(job.account_id)
    if job.kind not in _CHOSEN:
        return Destination(_email(store, account.email), allow, None)
    # Of one moment, or a new secret could be sent to the server before it.
    with store.database.read() as tx:
        saved = store.settings.read(tx, job.account_id, NotificationSettings)
        column = _SECRETS.get(job.channel)
        secret = store.settings.secret(tx, job.account_id, column) if column else None
        bark_key = store.settings.secret(tx, job.account_id, _BARK_KEY) if job.channel is Channel.BARK else None
        route = store.email_confirmations.route_of(tx, job.account_id)
        remaining = store.quota.state_of(tx, job.account_id).remaining_micro_usd
    if job.kind != TEST and job.channel not in saved.section.channels:
        raise DeliveryFailed(_SWITCHED_OFF, permanent=True)
    if job.kind == QUOTA_WARNING and remaining >= saved.section.threshold_micro_usd:
        raise DeliveryFailed(_NO_LONGER_LOW, permanent=True)
    target: Target
    match job.channel:
        case Channel.EMAIL:
            if route.unconfirmed and not route.address:
                raise DeliveryFailed(_UNCONFIRMED)  # it may be confirmed before the last attempt
            target = _email(store, route.address)
        case Channel.BARK:
            target = BarkTarget(_needed(secret or ""), bark_key or "")
        case _:
            target = _chosen(job.channel, saved.section, secret or "")
    return Destination(target, allow, saved.version)


def _chosen(channel: Channel, section: NotificationSettings, secret: str) -> WebhookTarget | GotifyTarget:
    match channel:
        case Channel.WEBHOOK:
            return WebhookTarget(_needed(section.webhook_url), secret)
        case _:
            token = _needed(secret)
            return GotifyTarget(_needed(section.gotify_url), token, section.gotify_priority)


def _email(store: Store, address: str) -> EmailTarget:
    mail = store.site.mail()
    if not mail.host:
        raise DeliveryFailed(_NO_MAIL_SERVER)  # it may be configured before the last attempt
    security: Literal["starttls", "implicit"] = "implicit" if mail.security == "tls" else "starttls"
    server = SmtpServer(
        host=mail.host,
        port=mail.port,
        sender=mail.sender or mail.username,
        username=mail.username,
        password=mail.password,
        security=security,
    )
    return EmailTarget(_needed(address), server)


def _needed(value: str) -> str:
    if not value:
        raise DeliveryFailed(_NO_ADDRESS, permanent=True)
    return value
