"""The moment, the secrets and the three HTTP channels that the channel tests share."""

import asyncio
import base64
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Final

from gateway.channels import bark, gotify, webhook
from gateway.channels.message import Message
from gateway.outbound import Outbound
from store.clock import Clock
from store.errors import DeliveryFailed, GatewayError

NOW: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WEBHOOK_KEY: Final = b"canary-webhook-key-of-32-bytes!!"
WEBHOOK_SECRET: Final = "whsec_" + base64.b64encode(WEBHOOK_KEY).decode()
WEBHOOK_PATH: Final = "canary-path"
DEVICE_KEY: Final = "CanaryDeviceKey0123456"
GOTIFY_TOKEN: Final = "AcanaryToken.1-2_3"
SMTP_PASSWORD: Final = "canary horse battery staple"

SECRETS: Final = (
    WEBHOOK_SECRET,
    WEBHOOK_KEY.decode(),
    base64.b64encode(WEBHOOK_KEY).decode(),
    WEBHOOK_PATH,
    DEVICE_KEY,
    GOTIFY_TOKEN,
    SMTP_PASSWORD,
    base64.b64encode(SMTP_PASSWORD.encode()).decode(),
)


Send = Callable[[Message, str, Outbound, Clock], Coroutine[Any, Any, None]]
"""Sends a message over one channel to the server at this origin."""


async def by_webhook(message: Message, origin: str, outbound: Outbound, clock: Clock) -> None:
    target = webhook.WebhookTarget(f"{origin}/{WEBHOOK_PATH}", WEBHOOK_SECRET)
    await webhook.send(message, target, outbound, clock)


async def by_bark(message: Message, origin: str, outbound: Outbound, clock: Clock) -> None:
    await bark.send(message, bark.BarkTarget(f"{origin}/{DEVICE_KEY}"), outbound, clock)


async def by_gotify(message: Message, origin: str, outbound: Outbound, clock: Clock) -> None:
    await gotify.send(message, gotify.GotifyTarget(origin, GOTIFY_TOKEN, 7), outbound, clock)


HTTP_CHANNELS: Final[tuple[Send, ...]] = (by_webhook, by_bark, by_gotify)


def failing(work: Coroutine[Any, Any, None]) -> GatewayError:
    """The typed error `work` ends in, after a look that it tells no secret."""

    async def run() -> GatewayError:
        try:
            await work
        except GatewayError as error:
            return error
        raise AssertionError("it was delivered")

    error = asyncio.run(run())
    assert not [secret for secret in SECRETS if secret in f"{error} {error!r} {error.args}"]
    assert str(error).isprintable()
    return error


def assert_try_again(error: object, sentence: str) -> None:
    """That it failed in this way, and may be tried again as scheduled."""
    assert isinstance(error, DeliveryFailed)
    assert (error.permanent, error.retry_after) == (False, None)
    assert str(error) == sentence
