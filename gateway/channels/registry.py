"""The HTTP channels, and the function of each that makes its target from an account's settings."""

from collections.abc import Callable, Mapping
from typing import Final

from gateway.channels import bark, gotify, webhook
from gateway.channels.target import HttpTarget
from store.sections import Channel, NotificationSettings

MakeTarget = Callable[[NotificationSettings, Mapping[str, str]], HttpTarget]
"""Makes a target from the saved settings and the channel's decrypted secrets by name; an unset secret is empty.

Raises `DeliveryFailed`, permanent, if a required address or secret is missing.
"""

TARGETS: Final[Mapping[Channel, MakeTarget]] = {
    Channel.WEBHOOK: webhook.target,
    Channel.BARK: bark.target,
    Channel.GOTIFY: gotify.target,
}
"""E-mail is not included: it uses the administrator's mail server (`gateway.targets`)."""
