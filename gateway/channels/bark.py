"""Bark: push messages to an iPhone through a Bark server.

Sources: github.com/Finb/bark-server, docs/API_V2.md; github.com/Finb/Bark, docs/encryption.md. The device key is sent
in the body, never in a URL.
"""

import base64
import random
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from gateway.channels.message import Message
from gateway.channels.post import parse_server_url, post_json, redacted_url, to_json
from gateway.channels.target import Transport, required
from gateway.outbound import Outbound
from store.bark_address import BarkAddress, parse_bark_url
from store.clock import Clock
from store.errors import DeliveryFailed, InvalidUrl
from store.sections import NotificationSettings

_IV_CHARACTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_IV_CHARACTER_COUNT: Final = 16
_HINTS: Final[Mapping[int, str]] = {HTTPStatus.BAD_REQUEST: "Check the device key: Bark has no device with it."}


@dataclass(frozen=True, slots=True, repr=False)
class BarkTarget:
    """The receiver of a push: `https://server/device-key`, as the Bark app shows it. The key is a secret."""

    url: str
    encryption_key: str = field(default="", repr=False)
    """16, 24 or 32 ASCII characters, as set in the app: AES-128, AES-192 or AES-256 in CBC mode. Empty: none."""

    def __repr__(self) -> str:
        return f"BarkTarget({redacted_url(self.url)!r})"

    async def deliver(self, message: Message, transport: Transport) -> None:
        await send(message, self, transport.outbound, transport.clock, transport.rng)


def target(_section: NotificationSettings, secrets: Mapping[str, str]) -> BarkTarget:
    return BarkTarget(required(secrets["bark_url"]), secrets["bark_encryption_key"])


async def send(
    message: Message, target: BarkTarget, outbound: Outbound, clock: Clock, rng: random.Random | None = None
) -> None:
    """Deliver `message`. A repeated delivery replaces the first on the phone, because it has the same id.

    Raises:
        DeliveryFailed: permanent if the address holds no device key or the answer is 410.
        AddressRefused: if the address is in a private network.
    """
    address, endpoint = push_endpoint(target.url)
    content = {"title": message.title, "body": message.text, **dict(address.options)}
    if target.encryption_key:
        content = encrypt(content, target.encryption_key, rng or secrets.SystemRandom())
    body = {"device_key": address.device_key, **content, "id": message.id}
    await post_json(outbound, endpoint, to_json(body), {}, clock.now(), hints=_HINTS)


def push_endpoint(url: str) -> tuple[BarkAddress, str]:
    """The parts of `url`, and the URL to push to.

    Raises:
        DeliveryFailed: permanent, if there is no device key.
    """
    try:
        address = parse_bark_url(url)
    except InvalidUrl as error:
        raise DeliveryFailed(str(error), permanent=True) from error
    return address, f"{str(parse_server_url(address.server)).rstrip('/')}/push"


def encrypt(content: Mapping[str, str], key: str, rng: random.Random) -> dict[str, str]:
    """`content` as Bark's `ciphertext` (AES-CBC, PKCS #7, base64) and its random `iv`."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.padding import PKCS7

    iv = "".join(rng.choices(_IV_CHARACTERS, k=_IV_CHARACTER_COUNT))
    padder = PKCS7(algorithms.AES.block_size).padder()
    padded = padder.update(to_json(content)) + padder.finalize()
    encryptor = Cipher(algorithms.AES(key.encode()), modes.CBC(iv.encode())).encryptor()
    ciphertext = encryptor.update(padded) + encryptor.finalize()
    return {"ciphertext": base64.b64encode(ciphertext).decode(), "iv": iv}
