"""The parts shared by all HTTP channels: the target protocol, and the means of a delivery."""

import random
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.channels.message import Message
from gateway.outbound import Outbound
from store.clock import Clock
from store.errors import DeliveryFailed

_NO_ADDRESS: Final = "There is no address saved for this channel."


@dataclass(frozen=True, slots=True)
class Transport:
    """The means of one delivery: guarded HTTP, the clock, and the source of randomness."""

    outbound: Outbound
    clock: Clock
    rng: random.Random


class HttpTarget(Protocol):
    """The receiver of one account on one channel."""

    async def deliver(self, message: Message, transport: Transport) -> None:
        """Send `message`. Raises `DeliveryFailed` and `AddressRefused`."""
        ...


def required(value: str) -> str:
    """`value` unless it is empty. Raises `DeliveryFailed`, permanent, if it is."""
    if not value:
        raise DeliveryFailed(_NO_ADDRESS, permanent=True)
    return value
