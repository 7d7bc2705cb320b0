"""Sessions of AUG: the bundle, its renewal, the list, and their end. FEB has a cookie and nothing else."""

import base64
import json
from typing import Any, Final

from tests.new_api.accounts import DISABLED, Account, self_view
from tests.new_api.answers import PRIVATE, Answer, Refused, done, failed
from tests.new_api.call import MONTH_S, Call, Rule
from tests.new_api.callers import MEMBER, need_session
from tests.new_api.generations import Generation
from tests.new_api.world import LoginSession, World

ACCESS_S: Final = 900
RACE_S: Final = 30
"""For so long the former refresh cookie is taken for a race. The transcript has no such exchange: this is what
programs that refresh at such servers look for."""
NO_STORE: Final = "no-store"


def look_alike(world: World, claims: dict[str, Any]) -> str:
    """A token in the form of a JWT. Its signature is chance: the stand-in knows its tokens by heart."""
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    parts.append(world.rng.randbytes(32))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def open_session(call: Call, account: Account, method: str) -> Answer:
    """Sign in: the answer is the bundle with the user, and the refresh cookie."""
    world = call.world
    now = world.now()
    agent = call.headers.get("user-agent", "")
    session = LoginSession(world.uuid(), account.id, method, now, agent, now, now + MONTH_S, world.letters(64))
    world.sessions[session.sid] = session
    account.last_login_at = now
    call.give_refresh_cookie(f"{session.sid}.{session.secret}", MONTH_S - 1)
    return done(bundle(call, session, with_user=True)).having(Cache_Control=NO_STORE)


def bundle(call: Call, session: LoginSession, *, with_user: bool) -> dict[str, Any]:
    """A new access token, and the session it belongs to."""
    world = call.world
    expires_at = world.now() + ACCESS_S
    token = look_alike(world, {"sid": session.sid, "sub": str(session.account_id), "exp": expires_at})
    world.bearers[token] = (session.sid, session.version, expires_at)
    account = world.accounts[session.account_id]
    user = {"user": self_view(account, world.generation)} if with_user else {}
    return {
        "access_expires_at": expires_at,
        "access_token": token,
        "session": shown(session, session),
        "token_type": "Bearer",
        **user,
    }


def renew_after_change(call: Call) -> dict[str, Any]:
    """After a change of credentials: every other session ends, and this one's tokens are dead at once."""
    caller = call.caller
    caller.version += 1
    for session in call.world.sessions.values():
        if session.account_id == caller.id and session is not call.session:
            session.is_ended = True
    if call.session is None:
        return {}
    call.session.version += 1
    return bundle(call, call.session, with_user=False)


def shown(session: LoginSession, current: LoginSession | None) -> dict[str, Any]:
    return {
        "sid": session.sid,
        "current": session is current,
        "login_method": session.method,
        "ip": "127.0.0.1",
        "user_agent": session.user_agent,
        "created_at": session.created_at,
        "last_active_at": session.last_active_at,
        "expires_at": session.expires_at,
    }


def refresh(call: Call) -> Answer:
    """A new access token and a new cookie for the cookie of the session."""
    world = call.world
    sid, _, secret = call.cookies.get("new_api_refresh", "").partition(".")
    session = world.sessions.get(sid)
    if session is None:
        raise Refused(_without_cookie(call, "AUTH_UNAUTHORIZED"))
    named = call.headers.get("x-auth-session", "")
    if named and named != sid:
        raise Refused(failed(call.say("auth.session-mismatch"), 409, "AUTH_SESSION_MISMATCH"))
    account = world.accounts[session.account_id]
    is_over = session.is_ended or account.is_deleted or account.status == DISABLED
    if is_over or session.expires_at <= world.now():
        raise Refused(_without_cookie(call, "AUTH_SESSION_REVOKED"))
    if secret != session.secret:
        if secret == session.former_secret and world.now() - session.rotated_at <= RACE_S:
            raise Refused(failed(call.say("auth.refresh-race"), 409, "AUTH_REFRESH_RACE"))
        session.is_ended = True
        raise Refused(_without_cookie(call, "AUTH_SESSION_REVOKED"))
    session.former_secret, session.secret = session.secret, world.letters(64, "0123456789abcdef")
    session.rotated_at = session.last_active_at = world.now()
    call.give_refresh_cookie(f"{sid}.{session.secret}", max(session.expires_at - world.now() - 1, 1))
    return done(bundle(call, session, with_user=True))


def _without_cookie(call: Call, code: str) -> Answer:
    call.give_refresh_cookie("", 0)
    return failed(call.say("auth.refresh-refused"), 401, code)


def sign_out(call: Call) -> Answer:
    """End the session that the header names, else the one of the cookie or of the token."""
    of_cookie = call.cookies.get("new_api_refresh", "").partition(".")[0]
    of_token = call.session.sid if call.session else ""
    sid = call.headers.get("x-auth-session") or of_cookie or of_token
    if session := call.world.sessions.get(sid):
        session.is_ended = True
    call.give_refresh_cookie("", 0)
    return done({"cookie_cleared": True, "revoked_sid": sid})


def list_sessions(call: Call) -> Answer:
    need_session(call)
    return done([shown(session, call.session) for session in _living(call)])


def end_session(call: Call) -> Answer:
    need_session(call)
    sid = call.parts["sid"]
    session = next((found for found in _living(call) if found.sid == sid), None)
    if session is None:
        return failed(call.say("auth.session-not-found"), 404, "AUTH_SESSION_NOT_FOUND")
    session.is_ended = True
    return done({"current": session is call.session, "revoked_sid": sid})


def end_others(call: Call) -> Answer:
    need_session(call)
    others = [session for session in _living(call) if session is not call.session]
    for session in others:
        session.is_ended = True
    return done({"revoked_count": len(others)})


def _living(call: Call) -> list[LoginSession]:
    """The caller's sessions, the current one first."""
    now = call.world.now()
    mine = [found for found in call.world.sessions.values() if found.account_id == call.caller.id]
    living = [session for session in mine if not session.is_ended and session.expires_at > now]
    return sorted(living, key=lambda session: session is not call.session)


_AUG: Final = Generation.AUG
RULES: Final = (
    Rule("POST", "/api/user/auth/refresh", refresh, only=_AUG, cache=NO_STORE),
    Rule("POST", "/api/user/auth/logout", sign_out, only=_AUG, cache=NO_STORE),
    Rule("GET", "/api/user/sessions", list_sessions, MEMBER, _AUG, cache=PRIVATE),
    Rule("POST", "/api/user/sessions/revoke-others", end_others, MEMBER, _AUG, cache=PRIVATE),
    Rule("DELETE", "/api/user/sessions/:sid", end_session, MEMBER, _AUG, cache=PRIVATE),
)
