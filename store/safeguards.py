"""Changes of settings that weaken a safeguard and therefore need a fresh proof of identity."""

from store.secret_fields import StoredSecret
from store.sections import NotificationSettings, PriceSettings, Section
from store.setting_fields import settings_of


def needs_proof(before: Section, after: Section) -> str:
    """The part of a change that needs a proof of identity, in words; empty without one.

    An attacker with an open session could redirect, silence or delay warnings, or allow unlimited costs. Changes that
    strengthen a safeguard need no proof.
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
    lowered = (
        setting.if_lowered
        for setting in settings_of(NotificationSettings)
        if setting.if_lowered and getattr(after, setting.name) < getattr(before, setting.name)
    )
    return next(lowered, "")


def _warns(section: NotificationSettings) -> bool:
    """True if any quota warning can be sent."""
    return bool(section.channels) and section.threshold_micro_usd > 0


def _changes_target(before: NotificationSettings, after: NotificationSettings) -> bool:
    for setting in settings_of(NotificationSettings):
        old, new = getattr(before, setting.name), getattr(after, setting.name)
        if setting.diverts_warnings and (new.new is not None if isinstance(new, StoredSecret) else new != old):
            return True
    return False
