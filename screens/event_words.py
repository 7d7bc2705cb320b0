"""The events of the audit log in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from store.audit_tags import Tag
from store.money import show_usd
from store.text import pluralize, sanitize

if TYPE_CHECKING:
    from store.values.audit import Event

WORDS: Final[dict[str, str]] = {
    Tag.ACCOUNT_CREATED: "Account created",
    Tag.ACCOUNT_ROLE_CHANGED: "Role changed",
    Tag.ACCOUNT_EMAIL_CHANGED: "E-mail address changed",
    Tag.ACCOUNT_SUSPENDED: "Account suspended",
    Tag.ACCOUNT_RESUMED: "Account resumed",
    Tag.SIGNED_IN: "Signed in",
    Tag.SIGN_IN_FAILED: "Failed sign-in",
    Tag.SIGN_IN_LOCKED: "Sign-in locked for a while",
    Tag.SIGNED_OUT: "Session ended",
    Tag.OTHERS_SIGNED_OUT: "Other sessions signed out",
    Tag.SESSION_LOCKED: "Console locked",
    Tag.PROVED: "Identity confirmed",
    Tag.PROOF_FAILED: "Wrong password at a confirmation",
    Tag.PASSWORD_CHANGED: "Password changed",
    Tag.PASSWORD_RESET: "Password reset",
    Tag.TWO_FACTOR_ENABLED: "Two-factor authentication on",
    Tag.TWO_FACTOR_DISABLED: "Two-factor authentication off",
    Tag.TWO_FACTOR_RESET: "Two-factor authentication reset",
    Tag.BACKUP_CODE_USED: "Backup code used",
    Tag.BACKUP_CODES_RENEWED: "New backup codes",
    Tag.BACKUP_CODES_LOW: "Few backup codes left",
    Tag.ACCESS_TOKEN_GENERATED: "Access token generated",
    Tag.ACCESS_TOKEN_REVOKED: "Access token revoked",
    Tag.API_KEY_CREATED: "API key created",
    Tag.API_KEY_CHANGED: "API key changed",
    Tag.API_KEY_ROTATED: "API key rotated",
    Tag.API_KEY_DISABLED: "API key disabled",
    Tag.API_KEY_ENABLED: "API key enabled",
    Tag.API_KEY_REVOKED: "API key revoked",
    Tag.KEYS_REVOKED: "All keys revoked",
    Tag.PASSKEY_ADDED: "Passkey registered",
    Tag.PASSKEY_RENAMED: "Passkey renamed",
    Tag.PASSKEY_REMOVED: "Passkey removed",
    Tag.PASSKEY_CLONED: "Passkey refused, perhaps copied",
    Tag.SSH_KEY_ADDED: "SSH key added",
    Tag.SSH_KEY_RENAMED: "SSH key renamed",
    Tag.SSH_KEY_REMOVED: "SSH key removed",
    Tag.SSH_KEY_USED: "SSH key accepted",
    Tag.IDENTITY_BOUND: "Identity bound",
    Tag.IDENTITY_UNBOUND: "Identity unbound",
    Tag.SETTINGS_SAVED: "Settings saved",
    Tag.NOTIFICATION_EMAIL_CONFIRMED: "Notification address confirmed",
    Tag.IPS_ERASED: "Client addresses erased",
    Tag.QUOTA_CHANGED: "Quota changed",
    Tag.CODE_REDEEMED: "Code redeemed",
    Tag.REDEEM_FAILED: "Wrong redeem code",
    Tag.REDEEM_LOCKED: "Redeeming locked for a while",
    Tag.FACTOR_RESET: "Sign-in unlocked",
    Tag.EXPORTED: "Data exported",
    Tag.USAGE_EXPORTED: "Usage log exported",
    Tag.LEDGER_EXPORTED: "Ledger exported",
    Tag.DRAWER_PUT: "Saved to the drawer",
    Tag.DRAWER_FETCHED: "Fetched from the drawer",
    Tag.DRAWER_REMOVED: "Removed from the drawer",
}
"""A sentence for each kind of event, at most 32 characters long."""
_WRONG_CODE: Final = "Wrong code at a confirmation"
FAILURES: Final = frozenset(
    {
        Tag.SIGN_IN_FAILED,
        Tag.SIGN_IN_LOCKED,
        Tag.PROOF_FAILED,
        Tag.PASSKEY_CLONED,
        Tag.REDEEM_FAILED,
        Tag.REDEEM_LOCKED,
    }
)
"""The kinds that tell of something that was refused."""
_SECOND_FACTOR: Final = "second-factor"
_FACTORS: Final = {"password": "password", _SECOND_FACTOR: "code", "passkey": "passkey"}
_ABOUT_FACTOR: Final = {Tag.SIGN_IN_FAILED: "wrong {}", Tag.SIGN_IN_LOCKED: "too many wrong {}s"}


def words_of(event: Event) -> str:
    """The sentence for an event. The tag itself, if a later version wrote one that is not known here."""
    if event.tag == Tag.PROOF_FAILED and event.detail.get("factor") == _SECOND_FACTOR:
        return _WRONG_CODE
    return WORDS.get(event.tag) or sanitize(event.tag.replace(":", " ").replace("-", " "), 40)


def details_of(event: Event) -> str:
    """The particulars of an event, such as `with the password` or `3 codes left`."""
    return ", ".join(part for part in _parts(event) if part)


def is_failure(event: Event) -> bool:
    return event.tag in FAILURES


def tags_with(word: str) -> frozenset[str]:
    """The kinds of events whose sentence has `word` in it; capitals do not matter."""
    sought = word.casefold()
    found = {tag for tag, sentence in WORDS.items() if sought in sentence.casefold()}
    return frozenset(str(tag) for tag in (found | {Tag.PROOF_FAILED} if sought in _WRONG_CODE.casefold() else found))


def _parts(event: Event) -> Iterator[str]:
    for name, value in event.detail.items():
        if name == "factor":
            about, factor = _ABOUT_FACTOR.get(Tag(event.tag)) if event.tag in WORDS else None, str(value)
            yield about.format(_FACTORS.get(factor, sanitize(factor, 20))) if about else ""
        elif name in _DETAILS:
            yield _DETAILS[name](value)
        else:
            yield f"{sanitize(name, 20)} {sanitize(value, 40)}"


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _count(noun: str, after: str = "") -> Callable[[Any], str]:
    return lambda value: pluralize(value, noun) + after if _is_whole(value) else sanitize(value, 20)


def _quoted(value: Any) -> str:
    return f"“{sanitize(value, 40)}”"


def _plain(value: Any) -> str:
    return sanitize(value, 40)


_DETAILS: Final[dict[str, Callable[[Any], str]]] = {
    "format": lambda value: f"as {_plain(value).upper()}",
    "method": lambda value: f"by {_plain(value)}",
    "reason": _plain,
    "lasts": lambda value: _plain(value) if str(value).startswith("until") else f"for {_plain(value)}",
    "left": _count("code", " left"),
    "sessions": _count("session"),
    "entries": lambda value: f"{value} entries" if value != 1 else "1 entry",
    "api_keys": _count("API key"),
    "access_token": lambda value: "and the access token" if value else "",
    "section": lambda value: sanitize(str(value).replace("_", " "), 30),
    "version": lambda _value: "",
    "changed": _plain,
    "overlap_minutes": lambda value: f"the old one works for {_count('minute')(value)} more",
    "label": _quoted,
    "name": _quoted,
    "fingerprint": lambda value: sanitize(value, 50),
    "provider": _plain,
    "role": lambda value: f"role {_plain(value)}",
    "code": lambda value: f"number {_plain(value)}",
    "amount_micro_usd": lambda value: show_usd(value, exact=True) if _is_whole(value) else _plain(value),
    "remaining_micro_usd": lambda value: f"{show_usd(value)} left" if _is_whole(value) else _plain(value),
}
"""The words for each particular that the store records, by its name."""
