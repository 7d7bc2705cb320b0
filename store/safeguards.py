"""Which changes of settings weaken a safeguard, so that they need a fresh proof of identity."""

from typing import Final

from store.secret_fields import StoredSecret
from store.sections import NotificationSettings, PriceSettings, Section

_TARGETS: Final = ("email_address", "webhook_url", "gotify_url")


def needs_proof(before: Section, after: Section) -> str:
    """What in a change needs a proof of identity, in words; empty if nothing does.

    A thief could divert warnings, silence or delay them, or spend without a bound. Back to safe needs nothing.
    """
    if isinstance(before, NotificationSettings) and isinstance(after, NotificationSettings):
        return _weaker_warning(before, after)
    if isinstance(before, PriceSettings) and isinstance(after, PriceSettings):
        is_given_up = after.accept_unpriced_models and not before.accept_unpriced_models
        return "accept models without price settings" if is_given_up else ""
    return ""


def _weaker_warning(before: NotificationSettings, after: NotificationSettings) -> str:
    if _changes_target(before, after):
        return "change where notifications are sent"
    if _warns(before) and not _warns(after):
        return "switch every quota warning off"
    if set(before.channels) - set(after.channels):
        return "switch a notification channel off"
    if after.threshold_micro_usd < before.threshold_micro_usd:
        return "lower the quota warning threshold"
    # Gotify's apps show a message of priority 0 without a sound or not at all.
    return "lower the priority of Gotify messages" if after.gotify_priority < before.gotify_priority else ""


def _warns(section: NotificationSettings) -> bool:
    """Whether a quota that runs out would be told to anybody."""
    return bool(section.channels) and section.threshold_micro_usd > 0


def _changes_target(before: NotificationSettings, after: NotificationSettings) -> bool:
    if any(getattr(before, name) != getattr(after, name) for name in _TARGETS):
        return True
    values = (getattr(after, name) for name in after.__dataclass_fields__)
    return any(isinstance(value, StoredSecret) and value.new is not None for value in values)
