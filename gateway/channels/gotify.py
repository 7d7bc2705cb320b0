"""Gotify: messages to an application on a Gotify server.

Source: gotify.net/api-docs, `POST /message`. The token is sent in a header, never in a URL.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.channels.message import Message
from gateway.channels.post import parse_server_url, post_json, redacted_url, to_json
from gateway.channels.target import Transport, required
from gateway.outbound import Outbound
from store.clock import Clock
from store.errors import DeliveryFailed
from store.sections import NotificationSettings

PRIORITIES: Final = range(11)
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,256}")


@dataclass(frozen=True, slots=True, repr=False)
class GotifyTarget:
    """The receiver of a message: the server's address, an application token, and a priority from 0 to 10."""

    url: str
    token: str
    priority: int = 5

    def __repr__(self) -> str:
        return f"GotifyTarget({redacted_url(self.url)!r}, priority={self.priority})"

    async def deliver(self, message: Message, transport: Transport) -> None:
        await send(message, self, transport.outbound, transport.clock)


def target(section: NotificationSettings, secrets: Mapping[str, str]) -> GotifyTarget:
    return GotifyTarget(required(section.gotify_url), required(secrets["gotify_token"]), section.gotify_priority)


async def send(message: Message, target: GotifyTarget, outbound: Outbound, clock: Clock) -> None:
    """Deliver `message`, with its id among the extras, so that a receiver can detect a repetition.

    Raises:
        DeliveryFailed: permanent if the token or priority has the wrong form or the answer is 410.
        AddressRefused: if the address is in a private network.
    """
    if not _TOKEN.fullmatch(target.token):
        raise DeliveryFailed("The Gotify token has characters that no token has.", permanent=True)
    if target.priority not in PRIORITIES:
        raise DeliveryFailed("The Gotify priority is not between 0 and 10.", permanent=True)
    endpoint = f"{str(parse_server_url(target.url)).rstrip('/')}/message"
    body = {
        "title": message.title,
        "message": message.text,
        "priority": target.priority,
        "extras": {"gatekey::message": {"id": message.id}},
    }
    await post_json(outbound, endpoint, to_json(body), {"X-Gotify-Key": target.token}, clock.now())
