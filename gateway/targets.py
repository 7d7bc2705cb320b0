"""Destination of a message, read when it is sent: settings saved after it was queued apply."""

import logging
from dataclasses import dataclass
from typing import Final, Literal

from gateway.channels.email import EmailTarget, SmtpServer
from gateway.channels.registry import TARGETS
from gateway.channels.target import HttpTarget, required
from store.addresses import ALLOW_LIST_SETTING, AllowList
from store.errors import DeliveryFailed
from store.outbox import TEST, Job
from store.quota_warnings import QUOTA_WARNING
from store.sections import Channel, NotificationSettings
from store.store import Store
from store.values.notifications import CONFIRM_EMAIL

LOGGER: Final = logging.getLogger("gatekey.dispatcher")
_SWITCHED_OFF: Final = "The channel was switched off before this was sent."
_NO_LONGER_LOW: Final = "The quota was topped up, or the threshold lowered, before this was sent."
_OTHER_ADDRESS: Final = "Another notification e-mail was chosen, or this one confirmed, before the code was sent."
_UNCONFIRMED: Final = "The notification e-mail is not confirmed yet. Send test sends the code for it."
_NO_MAIL_SERVER: Final = "The administrator has not configured a mail server."
_KINDS_BY_SETTINGS: Final = (QUOTA_WARNING, TEST)
"""Kinds that are sent as the account's settings say. Security notices go to the account's own address."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A target, the administrator's allow list, and the version of the settings it was read from."""

    target: EmailTarget | HttpTarget
    allow: AllowList
    version: int | None
    """None for a message that does not depend on settings."""


def find_destination(store: Store, job: Job) -> Destination:
    """The destination of `job`. Reads the database and decrypts secrets: not for the event loop.

    Raises:
        DeliveryFailed: permanent if the channel is off or has no address, or if the reason for the warning is gone.
        StoreUnavailable: if the data cannot be read.
    """
    allow = AllowList.read(store.site.items(ALLOW_LIST_SETTING))
    for sentence in allow.unreadable:
        LOGGER.warning("%s: %s", ALLOW_LIST_SETTING, sentence)
    if job.kind == CONFIRM_EMAIL and job.account_id is not None:
        with store.database.read() as tx:
            waiting = store.email_confirmations.route_of(tx, job.account_id).unconfirmed
        if waiting != job.recipient:
            raise DeliveryFailed(_OTHER_ADDRESS, permanent=True)
    if job.recipient is not None or job.account_id is None:
        return Destination(_email_target(store, job.recipient or ""), allow, None)
    account = store.accounts.get(job.account_id)
    if job.kind not in _KINDS_BY_SETTINGS:
        return Destination(_email_target(store, account.email), allow, None)
    # One snapshot, or a new secret could be sent to the previous server.
    with store.database.read() as tx:
        saved = store.settings.read(tx, job.account_id, NotificationSettings)
        secrets = store.settings.secrets(tx, job.account_id, job.channel)
        route = store.email_confirmations.route_of(tx, job.account_id)
        remaining = store.quota.state_of(tx, job.account_id).remaining_micro_usd
    if job.kind != TEST and job.channel not in saved.section.channels:
        raise DeliveryFailed(_SWITCHED_OFF, permanent=True)
    if job.kind == QUOTA_WARNING and remaining >= saved.section.threshold_micro_usd:
        raise DeliveryFailed(_NO_LONGER_LOW, permanent=True)
    if job.channel is not Channel.EMAIL:
        return Destination(TARGETS[job.channel](saved.section, secrets), allow, saved.version)
    if route.unconfirmed and not route.address:
        raise DeliveryFailed(_UNCONFIRMED)  # it may be confirmed before the last attempt
    return Destination(_email_target(store, route.address), allow, saved.version)


def _email_target(store: Store, address: str) -> EmailTarget:
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
    return EmailTarget(required(address), server)
