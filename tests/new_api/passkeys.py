"""The one passkey of an account: what it is asked, and in which order. Signatures are not looked at."""

import base64
from datetime import UTC
from typing import Any, Final

from tests.new_api import proofs
from tests.new_api.accounts import Account, Passkey
from tests.new_api.answers import PRIVATE, Answer, Refused, done, failed
from tests.new_api.call import Call, Rule
from tests.new_api.callers import MEMBER
from tests.new_api.sessions import renew_after_change
from tests.new_api.sign_in import FLOW_S, signed_in
from tests.new_api.world import Flow

TIMEOUT_MS: Final = 120_000
ALGORITHMS: Final = (-7, -35, -36, -257, -258, -259, -37, -38, -39, -8)


def status(call: Call) -> Answer:
    _need_cookie(call)
    passkey = call.caller.passkey
    if passkey is None:
        return done({"enabled": False})
    return done({"enabled": True, "last_used_at": passkey.last_used_at})


def begin_registration(call: Call) -> Answer:
    _need_cookie(call)
    _need_enabled(call)
    account = call.caller
    if not call.world.is_feb and account.two_factor.is_enabled:
        proofs.need_proof(call, "passkey.register")
    user = {"name": account.username, "displayName": account.display_name, "id": _user_id(account)}
    options = {
        "rp": {"name": "New API", "id": _rp_id(call)},
        "user": user,
        "challenge": call.world.letters(43),
        "pubKeyCredParams": [{"type": "public-key", "alg": algorithm} for algorithm in ALGORITHMS],
        "timeout": TIMEOUT_MS,
        **({"excludeCredentials": [_named(account.passkey)]} if account.passkey else {}),
        "authenticatorSelection": {
            "requireResidentKey": True,
            "residentKey": "required",
            "userVerification": "preferred",
        },
    }
    return _begun(call, options, "register", {})


def finish_registration(call: Call) -> Answer:
    """The new passkey takes the place of the former one."""
    _need_cookie(call)
    _need_enabled(call)
    credential, _ = _finished(call, "register")
    if not call.world.is_feb and call.caller.two_factor.is_enabled:
        proofs.need_proof(call, "passkey.register")
    call.caller.passkey = Passkey(credential["id"], b"", list(credential["response"].get("transports", [])))
    data = {} if call.world.is_feb else renew_after_change(call)
    sentence = call.say_chinese("passkey.registered")
    return done(data, sentence) if data else done(message=sentence)


def begin_sign_in(call: Call) -> Answer:
    _need_enabled(call)
    options = {"challenge": call.world.letters(43), "timeout": TIMEOUT_MS, "rpId": _rp_id(call)}
    return _begun(call, {**options, "userVerification": "preferred"}, "login", {})


def finish_sign_in(call: Call) -> Answer:
    """Nothing else is asked, although two-factor authentication may be on."""
    _need_enabled(call)
    credential, _ = _finished(call, "login")
    owners = [one for one in call.world.accounts.values() if one.passkey and not one.is_deleted]
    owner = next((one for one in owners if one.passkey and one.passkey.credential_id == credential["id"]), None)
    if owner is None:
        return failed(call.say_chinese("passkey.unknown"))
    _note_use(call, owner)
    return signed_in(call, owner, "passkey")


def begin_proof(call: Call) -> Answer:
    _need_cookie(call)
    _need_enabled(call)
    passkey = call.caller.passkey
    if passkey is None:
        return failed(call.say_chinese("passkey.none"))
    facts = {} if call.world.is_feb else {"scope": call.json().get("scope")}
    options = {"challenge": call.world.letters(43), "timeout": TIMEOUT_MS, "rpId": _rp_id(call)}
    named = {"allowCredentials": [_named(passkey)], "userVerification": "preferred"}
    return _begun(call, options | named, "verify", facts)


def finish_proof(call: Call) -> Answer:
    _need_cookie(call)
    _need_enabled(call)
    _, facts = _finished(call, "verify")
    _note_use(call, call.caller)
    sentence = call.say_chinese("passkey.verified")
    if call.world.is_feb:
        return done(message=sentence)
    return done(proofs.new_proof(call, "passkey", str(facts["scope"])), sentence)


def remove(call: Call) -> Answer:
    """FEB asks nothing, and removing what is not there is a success."""
    _need_cookie(call)
    if not call.world.is_feb and (call.caller.passkey or call.caller.two_factor.is_enabled):
        proofs.need_proof(call, "passkey.delete")
    call.caller.passkey = None
    sentence = call.say_chinese("passkey.removed")
    return done(message=sentence) if call.world.is_feb else done(renew_after_change(call), sentence)


def _begun(call: Call, options: dict[str, Any], kind: str, facts: dict[str, Any]) -> Answer:
    """FEB keeps the challenge in the cookie, AUG in a flow."""
    shown = {"options": {"publicKey": options}}
    if call.world.is_feb:
        call.give_cookie(call.cookie | {"passkey": kind})
        return done(shown)
    token, expires_at = call.world.letters(43), call.world.now() + FLOW_S
    number = call.account.id if call.account else 0
    call.world.flows[token] = Flow(f"passkey.{kind}", expires_at, number, facts)
    return done({"expires_at": expires_at, "flow_token": token, **shown})


def _finished(call: Call, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The credential and what was noted at the beginning; each beginning has one end."""
    asked = call.json()
    if call.world.is_feb:
        said = call.cookie
        if said.pop("passkey", "") != kind:
            raise Refused(failed(call.say_chinese("passkey.step-expired")))
        call.give_cookie(said)
        return asked, {}
    token, credential = asked.get("flow_token"), asked.get("credential")
    if not isinstance(token, str) or not isinstance(credential, dict):
        raise Refused(failed(call.say_chinese("passkey.parameters")))
    flow = call.world.flows.pop(token, None)
    if flow is None or flow.kind != f"passkey.{kind}" or flow.expires_at <= call.world.now():
        raise Refused(failed(call.say_chinese("passkey.step-expired")))
    return credential, flow.facts


def _need_cookie(call: Call) -> None:
    """FEB's passkey routes look at the cookie alone."""
    if call.world.is_feb and call.by_token:
        raise Refused(failed(call.say_chinese("passkey.cookie-required"), 401))


def _need_enabled(call: Call) -> None:
    """Enabled on a default installation, FEB refuses its own address."""
    options = call.world.options
    if options.get("passkey.enabled") != "true":
        raise Refused(failed(call.say_chinese("passkey.disabled")))
    is_insecure = options.get("passkey.origins", "http://localhost:3000").startswith("http://")
    if is_insecure and options.get("passkey.allow_insecure_origin") != "true":
        raise Refused(failed(call.say_chinese("passkey.insecure-origin")))


def _note_use(call: Call, account: Account) -> None:
    assert account.passkey is not None
    moment = call.world.clock.now().astimezone(UTC)
    account.passkey.last_used_at = moment.isoformat().replace("+00:00", "Z")


def _rp_id(call: Call) -> str:
    return call.world.options.get("passkey.rp_id", "localhost:3000")


def _named(passkey: Passkey) -> dict[str, Any]:
    return {"type": "public-key", "id": passkey.credential_id, "transports": passkey.transports}


def _user_id(account: Account) -> str:
    return base64.urlsafe_b64encode(str(account.id).encode()).rstrip(b"=").decode()


_BASE: Final = "/api/user/passkey"
RULES: Final = (
    Rule("GET", _BASE, status, MEMBER),
    Rule("DELETE", _BASE, remove, MEMBER, cache=PRIVATE),
    Rule("POST", f"{_BASE}/register/begin", begin_registration, MEMBER, cache=PRIVATE),
    Rule("POST", f"{_BASE}/register/finish", finish_registration, MEMBER, cache=PRIVATE),
    Rule("POST", f"{_BASE}/verify/begin", begin_proof, MEMBER, cache=PRIVATE),
    Rule("POST", f"{_BASE}/verify/finish", finish_proof, MEMBER, cache=PRIVATE),
    Rule("POST", f"{_BASE}/login/begin", begin_sign_in, cache=PRIVATE),
    Rule("POST", f"{_BASE}/login/finish", finish_sign_in, cache=PRIVATE),
)
