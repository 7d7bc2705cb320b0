"""Builds the notification text of an outbox job, the same for every channel."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.channels.message import Message
from store.errors import DatabaseDamaged
from store.money import MICRO_PER_USD, show_usd, type_usd
from store.notices import DELETED
from store.outbox import TEST, Job
from store.quota_warnings import QUOTA_WARNING
from store.values.notifications import CONFIRM_EMAIL

_CENT: Final = MICRO_PER_USD // 100
_NOT_YOU: Final = (
    "If this was not you, sign in, change your password and sign out all other sessions; if you cannot sign in, "
    "ask your administrator."
)


def build_message(job: Job) -> Message:
    """The message of `job`, the same for each attempt and each channel.

    A kind without a builder is a security notice, whose sentence the store wrote. Raises `DatabaseDamaged` if the
    stored payload is incomplete.
    """
    try:
        title, text, facts = _BUILDERS.get(job.kind, _security_notice)(job.payload)
        kind = _KIND_NAMES.get(job.kind, _dotted_name(job.kind))
        return Message(id=job.message_id, kind=kind, title=title, text=text, at=job.created_at, facts=facts)
    except (KeyError, TypeError, ValueError) as error:
        raise DatabaseDamaged from error


_Texts = tuple[str, str, Mapping[str, str]]


def _quota_warning(payload: Mapping[str, Any]) -> _Texts:
    name, remaining, threshold = str(payload["name"]), payload["remaining_micro_usd"], payload["threshold_micro_usd"]
    left = _show_amount(remaining)
    if remaining > 0:
        text = f"The remaining quota of {name} is {left}, below your warning threshold of {_show_amount(threshold)}."
    else:
        text = f"The quota of {name} is used up. API calls are refused until it is topped up."
    facts = {"account": name, "remaining_usd": type_usd(remaining), "threshold_usd": type_usd(threshold)}
    return f"Quota warning: {left} left", text, facts


def _test(payload: Mapping[str, Any]) -> _Texts:
    name = str(payload["name"])
    return "Test message", f"This is a test message for {name}. Notifications reach you here.", {"account": name}


def _confirmation(payload: Mapping[str, Any]) -> _Texts:
    name, code = str(payload["name"]), str(payload["code"])
    text = (
        f"{name} wants quota warnings sent to this address. To allow it, enter this code in Gatekey within half an "
        f"hour: {code[:4]} {code[4:]}\n\nIf you do not know {name}, ignore this message: nothing more is sent here."
    )
    return "Confirm this address", text, {"account": name}


def _deletion_notice(payload: Mapping[str, Any]) -> _Texts:
    return "Your account was deleted", str(payload["sentence"]), {}


def _security_notice(payload: Mapping[str, Any]) -> _Texts:
    name = str(payload["name"])
    text = f"This concerns the account {name}.\n\n{payload['sentence']}\n\n{_NOT_YOU}"
    return f"Security notice for {name}", text, {"account": name}


_BUILDERS: Final[Mapping[str, Callable[[Mapping[str, Any]], _Texts]]] = {
    QUOTA_WARNING: _quota_warning,
    TEST: _test,
    CONFIRM_EMAIL: _confirmation,
    DELETED: _deletion_notice,
}
_KIND_NAMES: Final = {QUOTA_WARNING: "quota.low", TEST: "notification.test", CONFIRM_EMAIL: "notification.confirm"}
"""Names of kinds for programs."""


def _dotted_name(kind: str) -> str:
    return kind.replace(":", ".").replace("-", "_")


def _show_amount(micro_usd: int) -> str:
    # Rounded to cents, less than a cent would be shown as nothing.
    return show_usd(micro_usd, exact=0 < micro_usd < _CENT)
