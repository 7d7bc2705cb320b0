"""Step-up: POST /api/verify and the proofs that AUG wants in X-Security-Proof."""

from typing import Any, Final

from tests.new_api import two_factor
from tests.new_api.answers import PRIVATE, Answer, Refused, done, failed
from tests.new_api.call import Call, Rule
from tests.new_api.callers import MEMBER
from tests.new_api.limits import CRITICAL
from tests.new_api.sessions import look_alike

PROOF_S: Final = 300
HEADER: Final = "x-security-proof"
SCOPES: Final = ("channel.key.read", "passkey.register", "passkey.delete")


def verify(call: Call) -> Answer:
    return _verify_february(call) if call.world.is_feb else _verify_august(call)


def _verify_february(call: Call) -> Answer:
    """A mark in the cookie. With the method passkey no assertion is asked for."""
    asked = call.json()
    method = asked.get("method")
    account = call.caller
    if not account.two_factor.is_enabled and account.passkey is None:
        return failed(call.say_chinese("verify.nothing-to-verify-with"))
    if method == "2fa":
        if not account.two_factor.is_enabled:
            return failed(call.say_chinese("two-factor.off"))
        if two_factor.refusal(call, account, str(asked.get("code", ""))):
            return failed(call.say_chinese("verify.wrong"))
    elif method != "passkey":
        return failed(call.say_chinese("verify.method"))
    elif account.passkey is None:
        return failed(call.say_chinese("passkey.none"))
    expires_at = call.world.now() + PROOF_S
    call.give_cookie(call.cookie | {"verified_until": expires_at})
    _log(call)
    return done({"expires_at": expires_at, "verified": True}, call.say_chinese("verify.done"))


def _verify_august(call: Call) -> Answer:
    """A proof for one scope, made from a code of the app."""
    if call.session is None:
        return failed(call.say_chinese("verify.session-required"), 401)
    asked = call.json()
    scope = asked.get("scope")
    if scope not in SCOPES:
        return failed(call.say_chinese("verify.scope"))
    if asked.get("method") != "2fa":
        return failed(call.say_chinese("verify.passkey-has-its-own"))
    if not call.caller.two_factor.is_enabled:
        return failed(call.say_chinese("two-factor.off"))
    if two_factor.refusal(call, call.caller, str(asked.get("code", ""))):
        return failed(call.say_chinese("verify.wrong"))
    _log(call)
    return done(new_proof(call, "2fa", str(scope)), call.say_chinese("verify.done"))


def new_proof(call: Call, method: str, scope: str) -> dict[str, Any]:
    """A proof of this session in its present version."""
    assert call.session is not None
    expires_at = call.world.now() + PROOF_S
    token = look_alike(call.world, {"scope": scope, "exp": expires_at})
    call.world.proofs[token] = {
        "sid": call.session.sid,
        "version": call.session.version,
        "method": method,
        "scope": scope,
        "expires_at": expires_at,
    }
    return {"expires_at": expires_at, "method": method, "proof_token": token, "scope": scope}


def need_proof(call: Call, scope: str) -> None:
    """AUG: refuse a call that comes without a proof of this scope; with 2FA on it has to come from 2FA."""
    token = call.headers.get(HEADER, "")
    if not token:
        raise Refused(failed(call.say_chinese("proof.required"), 403, "SECURITY_PROOF_REQUIRED"))
    proof = call.world.proofs.get(token)
    session = call.session
    is_good = (
        proof is not None
        and session is not None
        and (proof["sid"], proof["version"], proof["scope"]) == (session.sid, session.version, scope)
        and proof["expires_at"] > call.world.now()
    )
    if proof is None or not is_good:
        raise Refused(failed(call.say_chinese("proof.invalid"), 403, "SECURITY_PROOF_INVALID"))
    if call.caller.two_factor.is_enabled and proof["method"] != "2fa":
        raise Refused(failed(call.say_chinese("proof.method"), 403, "SECURITY_PROOF_METHOD_MISMATCH"))


def _log(call: Call) -> None:
    call.world.log(call.caller, 4, "log.verified")


RULES: Final = (Rule("POST", "/api/verify", verify, MEMBER, cache=PRIVATE, bucket=CRITICAL),)
