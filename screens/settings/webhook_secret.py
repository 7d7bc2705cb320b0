"""The dialog of a new webhook secret, which the receiver has to be given."""

from __future__ import annotations

from typing import ClassVar

from screens.settings.access_token import ShownOnce


class WebhookSecret(ShownOnce):
    """A new webhook secret. It is in the form already; Save stores it."""

    HELP_TEXT: ClassVar[str] = (
        "Each message is signed with this secret (Standard Webhooks), so that the receiver can tell that it comes from "
        "here. Once it is saved, it is stored encrypted and cannot be shown again."
    )
    TITLE_TEXT = "Webhook secret"
    EXPLANATION = (
        "This is a new secret. It is shown once: give it to the receiver of the webhook now. It signs messages once "
        "you save the settings."
    )
    FILE_NAME = "gatekey-webhook-secret.txt"
