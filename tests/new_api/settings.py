"""PUT /api/user/setting, which replaces everything that is stored, and the billing preference."""

import re
from collections.abc import Callable
from typing import Any, Final

from tests.new_api.answers import Answer, Refused, done, failed
from tests.new_api.call import Call, Rule
from tests.new_api.callers import MEMBER

HIGHEST_PRIORITY: Final = 10
USUAL_PRIORITY: Final = 5
PREFERENCES: Final = ("subscription_first", "wallet_first", "subscription_only", "wallet_only")

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "notify_type": (str,),
    "quota_warning_threshold": (int, float),
    "webhook_url": (str,),
    "webhook_secret": (str,),
    "notification_email": (str,),
    "bark_url": (str,),
    "gotify_url": (str,),
    "gotify_token": (str,),
    "gotify_priority": (int,),
    "accept_unset_model_ratio_model": (bool,),
    "record_ip_log": (bool,),
}
_IS_ADDRESS: Final = re.compile(r"/|[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_IS_WEB_ADDRESS: Final = re.compile(r"https?://")


def replace(call: Call) -> Answer:
    """Only the fields of the chosen channel are kept: sidebar, language and billing preference are gone."""
    asked = call.json()
    for name, value in asked.items():
        wanted = _TYPES.get(name)
        is_mistaken_bool = isinstance(value, bool) and wanted is not None and bool not in wanted
        if wanted and value is not None and (not isinstance(value, wanted) or is_mistaken_bool):
            return failed(call.say("parameters.invalid"))
    kind = asked.get("notify_type")
    if kind not in _CHANNELS:
        return failed(call.say("setting.type"))
    if (asked.get("quota_warning_threshold") or 0) <= 0:
        return failed(call.say("setting.threshold"))
    kept = {
        name: asked[name]
        for name in ("notify_type", "quota_warning_threshold", "accept_unset_model_ratio_model", "record_ip_log")
        if name in asked
    }
    call.caller.store(kept | _CHANNELS[kind](call, asked))
    return done(None, call.say("setting.updated"))


def _email(call: Call, asked: dict[str, Any]) -> dict[str, Any]:
    address = asked.get("notification_email") or ""
    if address and "@" not in address:
        raise Refused(failed(call.say("setting.email")))
    return {"notification_email": address}


def _webhook(call: Call, asked: dict[str, Any]) -> dict[str, Any]:
    address = _given(call, asked, "webhook_url", "setting.webhook-empty")
    _check_address(call, address, "setting.webhook-address")
    return {"webhook_url": address, "webhook_secret": asked.get("webhook_secret")}


def _bark(call: Call, asked: dict[str, Any]) -> dict[str, Any]:
    address = _given(call, asked, "bark_url", "setting.bark-empty")
    _check_address(call, address, "setting.bark-address", is_web=True)
    return {"bark_url": address}


def _gotify(call: Call, asked: dict[str, Any]) -> dict[str, Any]:
    address = _given(call, asked, "gotify_url", "setting.gotify-empty")
    token = _given(call, asked, "gotify_token", "setting.gotify-token")
    _check_address(call, address, "setting.gotify-address", is_web=True)
    priority = asked.get("gotify_priority") or 0
    is_possible = 0 <= priority <= HIGHEST_PRIORITY
    return {
        "gotify_url": address,
        "gotify_token": token,
        "gotify_priority": priority if is_possible else USUAL_PRIORITY,
    }


_CHANNELS: Final[dict[Any, Callable[[Call, dict[str, Any]], dict[str, Any]]]] = {
    "email": _email,
    "webhook": _webhook,
    "bark": _bark,
    "gotify": _gotify,
}


def _given(call: Call, asked: dict[str, Any], name: str, refusal: str) -> str:
    value = str(asked.get(name) or "")
    if not value:
        raise Refused(failed(call.say(refusal)))
    return value


def _check_address(call: Call, address: str, refusal: str, *, is_web: bool = False) -> None:
    """Any scheme and any absolute path pass, as they do there; Bark and Gotify want http or https."""
    if not _IS_ADDRESS.match(address):
        raise Refused(failed(call.say(refusal)))
    if is_web and not _IS_WEB_ADDRESS.match(address):
        raise Refused(failed(call.say("setting.scheme")))


def prefer(call: Call) -> Answer:
    """An unknown preference falls back to the first, with success."""
    wanted = call.json().get("billing_preference")
    chosen = wanted if wanted in PREFERENCES else PREFERENCES[0]
    call.caller.store(call.caller.stored() | {"billing_preference": chosen})
    return done({"billing_preference": chosen})


def subscriptions(call: Call) -> Answer:
    chosen = call.caller.stored().get("billing_preference") or PREFERENCES[0]
    return done({"all_subscriptions": [], "billing_preference": chosen, "subscriptions": []})


RULES: Final = (
    Rule("PUT", "/api/user/setting", replace, MEMBER),
    Rule("PUT", "/api/subscription/self/preference", prefer, MEMBER),
    Rule("GET", "/api/subscription/self", subscriptions, MEMBER),
    Rule("GET", "/api/subscription/plans", lambda _call: done([]), MEMBER),
)
