"""The HTTP channels, and how each makes its target of an account's settings."""

from collections.abc import Callable, Mapping
from typing import Final

from gateway.channels import bark, gotify, webhook
from gateway.channels.target import HttpTarget
from store.sections import Channel, NotificationSettings

MakeTarget = Callable[[NotificationSettings, Mapping[str, str]], HttpTarget]
"""From the saved settings and the channel's secrets in clear, by name, to the target. A secret not set is empty.

Raises `DeliveryFailed`, permanent, if an address or a secret that the channel needs is missing.
"""

TARGETS: Final[Mapping[Channel, MakeTarget]] = {
    Channel.WEBHOOK: webhook.target,
    Channel.BARK: bark.target,
    Channel.GOTIFY: gotify.target,
}
"""E-mail has no entry: it goes through the administrator's mail server (`gateway.targets`)."""
