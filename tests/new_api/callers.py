"""The caller of a request: the cookie and the id header of FEB, the bearer tokens of AUG, and what each may call."""

from typing import Final

from tests.new_api.accounts import DISABLED, USER
from tests.new_api.answers import Refused, failed
from tests.new_api.call import ANYONE, Call, Rule

ID_HEADER: Final = "new-api-user"


def admit(call: Call, rule: Rule) -> None:
    """Find the caller, and refuse those who may not call the route."""
    if call.world.is_feb:
        _admit_february(call, rule)
    else:
        _admit_august(call, rule)


def _admit_february(call: Call, rule: Rule) -> None:
    said = call.cookie
    if rule.role == ANYONE:
        call.account = call.world.accounts.get(said["id"]) if "id" in said else None
        return
    if "id" in said:
        # The cookie holds role and status from the time of the sign-in, and nobody looks them up again.
        number, role, status = said["id"], said["role"], said["status"]
        call.account = call.world.accounts.get(number)
    else:
        token = call.headers.get("authorization", "")
        if not token:
            raise Refused(failed(call.say_chinese("auth.nobody"), 401))
        account = call.world.account_with_token(token.removeprefix("Bearer "))
        if account is None:
            raise Refused(failed(call.say_chinese("auth.token-unknown")))
        number, role, status = account.id, account.role, account.status
        call.account, call.by_token = account, True
    named = call.headers.get(ID_HEADER)
    if not named:
        raise Refused(failed(call.say_chinese("auth.id-missing"), 401))
    if not named.lstrip("-").isdigit():
        raise Refused(failed(call.say_chinese("auth.id-not-a-number"), 401))
    if int(named) != number:
        raise Refused(failed(call.say_chinese("auth.id-of-another"), 401))
    if status == DISABLED:
        raise Refused(failed(call.say_chinese("auth.banned")))
    if role < rule.role:
        raise Refused(failed(call.say_chinese("auth.role")))


def _admit_august(call: Call, rule: Rule) -> None:
    token = call.headers.get("authorization", "")
    scheme, _, rest = token.partition(" ")
    if scheme.lower() == "bearer":
        token = rest
    if rule.role == ANYONE:
        _look_at_session(call, token)
        return
    if token in call.world.bearers:
        if not _look_at_session(call, token):
            raise Refused(failed(call.say("auth.session-revoked"), 401, "AUTH_SESSION_REVOKED"))
    else:
        account = call.world.account_with_token(token) if token else None
        if account is None:
            raise Refused(failed(call.say("auth.token-unknown"), 401, "AUTH_UNAUTHORIZED"))
        if account.status == DISABLED:
            raise Refused(failed(call.say("auth.banned"), 401, "AUTH_USER_DISABLED"))
        call.account, call.by_token = account, True
    if call.caller.role < rule.role:
        raise Refused(failed(call.say("auth.role"), 403, "AUTH_INSUFFICIENT_PRIVILEGE"))


def _look_at_session(call: Call, token: str) -> bool:
    """Note session and account of a bearer token; False if it is good for nothing."""
    sid, version, expires_at = call.world.bearers.get(token, ("", 0, 0))
    session = call.world.sessions.get(sid)
    if session is None:
        return False
    account = call.world.accounts[session.account_id]
    if expires_at <= call.world.now():
        if call.path.startswith("/api/user/auth/"):
            return False
        raise Refused(failed(call.say("auth.token-expired"), 401, "AUTH_UNAUTHORIZED"))
    if session.is_ended or session.version != version or account.is_deleted or account.status == DISABLED:
        return False
    call.session, call.account = session, account
    session.last_active_at = call.world.now()
    return True


def need_session(call: Call) -> None:
    """Refuse a caller with an access token where AUG wants a session."""
    if call.session is None:
        raise Refused(failed(call.say("auth.session-required"), 403, "AUTH_SESSION_REQUIRED"))


MEMBER: Final = USER
"""The role that a route asks of everybody who has an account."""
