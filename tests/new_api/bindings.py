"""Accounts at identity providers: the state of the round trip, binding, signing in, and the list."""

from typing import Any, Final

from tests.new_api.accounts import Account
from tests.new_api.answers import PRIVATE, Answer, Refused, done, failed
from tests.new_api.call import Call, Rule
from tests.new_api.callers import MEMBER
from tests.new_api.generations import Generation
from tests.new_api.limits import CRITICAL
from tests.new_api.sign_in import signed_in
from tests.new_api.world import Flow

STATE_S: Final = 600
BUILT_IN: Final = ("github", "discord", "oidc", "linuxdo")


def give_state(call: Call) -> Answer:
    """FEB: a state in the cookie, good again and again."""
    state = call.world.letters(12)
    call.give_cookie(call.cookie | {"oauth_state": state})
    return done(state)


def begin(call: Call) -> Answer:
    """AUG: a state for one provider and one intent, good once."""
    asked = call.json()
    provider, intent = asked.get("provider"), asked.get("intent")
    is_possible = intent == "login" or (intent == "bind" and call.account is not None)
    if not is_possible or not _is_known(call, str(provider)):
        return failed(call.say("parameters.invalid"))
    token, expires_at = call.world.letters(43), call.world.now() + STATE_S
    number = call.account.id if call.account and intent == "bind" else 0
    call.world.flows[token] = Flow("oauth", expires_at, number, {"provider": provider})
    return done({"expires_at": expires_at, "flow_token": token})


def come_back(call: Call) -> Answer:
    """The address that the provider's page sends the browser to: binds, or signs in."""
    name = call.parts["provider"]
    if not _is_known(call, name):
        return failed(call.say("binding.unknown-provider"), 400)
    binder = _of_state(call, name)
    provider = _own_provider(call, name)
    if provider is None:
        return failed(call.say("binding.provider-off"))
    subject = call.world.subjects.get(call.query.get("code", ""))
    if subject is None:
        return failed(call.say("binding.code"))
    owners = [account for account in call.world.accounts.values() if account.bindings.get(provider["id"]) == subject]
    if binder is None:
        if not owners:
            return failed(call.say("binding.nobody"))
        return signed_in(call, owners[0], f"oauth:{name}")
    if owners:
        return failed(call.say("binding.taken"))
    binder.bindings[provider["id"]] = subject
    return done(None if call.world.is_feb else {"action": "bind"}, call.say("binding.bound"))


def _of_state(call: Call, name: str) -> Account | None:
    """The account that binds, None for a sign-in. A state that is none is refused."""
    state = call.query.get("state", "")
    refused = Refused(failed(call.say("binding.state"), 403))
    if call.world.is_feb:
        if not state or call.cookie.get("oauth_state") != state:
            raise refused
        return call.account
    flow = call.world.flows.get(state)
    if flow is None or flow.kind != "oauth" or flow.facts["provider"] != name or flow.expires_at <= call.world.now():
        raise refused
    del call.world.flows[state]
    return call.world.accounts.get(flow.account_id)


def _is_known(call: Call, name: str) -> bool:
    return name in BUILT_IN or _own_provider(call, name) is not None


def _own_provider(call: Call, name: str) -> dict[str, Any] | None:
    """A provider that the administrator has added."""
    return next((one for one in call.world.providers if one["slug"] == name), None)


def bound(call: Call) -> Answer:
    """Providers of the administrator's own alone: the built-in ones stand in GET self."""
    rows = []
    for provider in call.world.providers:
        if subject := call.caller.bindings.get(provider["id"]):
            icon = {} if call.world.is_feb else {"provider_icon": provider["icon"]}
            row = {"provider_id": provider["id"], "provider_name": provider["name"], "provider_slug": provider["slug"]}
            rows.append({**row, **icon, "provider_user_id": subject})
    return done(rows)


def unbind(call: Call) -> Answer:
    """An unbinding succeeds, also of an identity that is not bound."""
    number = call.parts["id"]
    if not number.isdigit():
        return failed(call.say_chinese("binding.not-a-number"))
    call.caller.bindings.pop(int(number), None)
    return done(message=call.say_chinese("binding.unbound"))


def off(call: Call) -> Answer:
    return failed(call.say_chinese("binding.provider-off"))


_FEB: Final = Generation.FEB
_AUG: Final = Generation.AUG
RULES: Final = (
    Rule("GET", "/api/oauth/state", give_state, only=_FEB, bucket=CRITICAL),
    Rule("POST", "/api/oauth/state", begin, only=_AUG, cache=PRIVATE, bucket=CRITICAL),
    Rule("GET", "/api/oauth/wechat/bind", off, bucket=CRITICAL),
    Rule("GET", "/api/oauth/telegram/bind", off, bucket=CRITICAL),
    Rule("GET", "/api/oauth/:provider", come_back, cache=PRIVATE, bucket=CRITICAL),
    Rule("GET", "/api/user/oauth/bindings", bound, MEMBER),
    Rule("DELETE", "/api/user/oauth/bindings/:id", unbind, MEMBER),
)
