"""Bark: a push to an iPhone through a Bark server.

Source: github.com/Finb/bark-server, docs/API_V2.md. The device key travels in the body, never in an address.
"""

import re
from dataclasses import dataclass
from typing import Final

from gateway.channels.message import Message
from gateway.channels.post import origin, post_json, server_address, to_json
from gateway.outbound import Outbound
from store.clock import Clock
from store.errors import DeliveryFailed

_DEVICE_KEY: Final = re.compile(r"[A-Za-z0-9_-]{4,100}")


@dataclass(frozen=True, slots=True, repr=False)
class BarkTarget:
    """Where a push goes: `https://server/device-key`, as the Bark app shows it. The key is a secret."""

    url: str

    def __repr__(self) -> str:
        return f"BarkTarget({origin(self.url)!r})"


async def send(message: Message, target: BarkTarget, outbound: Outbound, clock: Clock) -> None:
    """Deliver `message`. A repetition replaces the first push on the phone, because it has the same id.

    Raises:
        DeliveryFailed: permanent if the address holds no device key or the answer is 410.
        AddressRefused: if the address lies in a private network.
    """
    endpoint, device_key = push_address(target.url)
    body = {"device_key": device_key, "title": message.title, "body": message.text, "id": message.id}
    await post_json(outbound, endpoint, to_json(body), {}, clock.now())


def push_address(url: str) -> tuple[str, str]:
    """The address to push to, and the device key: the last part of the path of `url`.

    Raises:
        DeliveryFailed: permanent, if there is no device key.
    """
    server = server_address(url)
    base, _, device_key = server.raw_path.decode("ascii").rstrip("/").rpartition("/")
    if not _DEVICE_KEY.fullmatch(device_key):
        raise DeliveryFailed("The Bark address has to end in the device key.", permanent=True)
    return str(server.copy_with(raw_path=f"{base}/push".encode())), device_key
