"""Webhook: a signed JSON POST, following the Standard Webhooks specification.

Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC

from gateway.channels.message import Message
from gateway.channels.post import post_json, redacted_url, to_json
from gateway.channels.target import Transport, required
from gateway.outbound import Outbound
from store.clock import Clock
from store.errors import DeliveryFailed
from store.secret_fields import webhook_key
from store.sections import NotificationSettings


@dataclass(frozen=True, slots=True, repr=False)
class WebhookTarget:
    """The receiver of a webhook. The path of `url` may be a secret too, as in most chat services."""

    url: str
    secret: str = ""
    """`whsec_` and 24 to 64 bytes in base64; empty: the message is not signed."""

    def __repr__(self) -> str:
        return f"WebhookTarget({redacted_url(self.url)!r}, {'signed' if self.secret else 'unsigned'})"

    async def deliver(self, message: Message, transport: Transport) -> None:
        await send(message, self, transport.outbound, transport.clock)


def target(section: NotificationSettings, secrets: Mapping[str, str]) -> WebhookTarget:
    return WebhookTarget(required(section.webhook_url), secrets["webhook_secret"])


async def send(message: Message, target: WebhookTarget, outbound: Outbound, clock: Clock) -> None:
    """Deliver `message`. Its id is the same for all attempts; time and signature are new for each.

    Raises:
        DeliveryFailed: permanent if the secret has the wrong form or the answer is 410.
        AddressRefused: if the address is in a private network.
    """
    now = clock.now()
    body = body_of(message)
    stamp = str(int(now.timestamp()))
    headers = {"webhook-id": message.id, "webhook-timestamp": stamp}
    if target.secret:
        headers["webhook-signature"] = signature(signing_key(target.secret), message.id, stamp, body)
    await post_json(outbound, target.url, body, headers, now)


def body_of(message: Message) -> bytes:
    """The body, below 20 KB: `type`, `timestamp` (time of the event) and `data`."""
    return to_json(
        {
            "type": message.kind,
            "timestamp": message.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "data": {"title": message.title, "text": message.text, **message.facts},
        }
    )


def signature(key: bytes, message_id: str, stamp: str, body: bytes) -> str:
    """`v1,` and the HMAC-SHA256 over `id.timestamp.body`, in base64."""
    digest = hmac.digest(key, b".".join((message_id.encode(), stamp.encode(), body)), hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def signing_key(secret: str) -> bytes:
    """The bytes in a `whsec_` secret.

    Raises:
        DeliveryFailed: permanent, if it has another form.
    """
    key = webhook_key(secret)
    if key is None:
        raise DeliveryFailed("The webhook secret is not whsec_ and 24 to 64 bytes in base64.", permanent=True)
    return key
