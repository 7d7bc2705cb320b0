"""GET, PUT and DELETE of /api/user/self, and the system access token."""

import base64
from typing import Any, Final

from tests.new_api.accounts import ROOT, self_view
from tests.new_api.answers import PRIVATE, Answer, done, failed
from tests.new_api.call import Call, Rule
from tests.new_api.callers import MEMBER
from tests.new_api.generations import Generation
from tests.new_api.limits import CRITICAL
from tests.new_api.sessions import renew_after_change
from tests.new_api.sign_in import LONGEST, SHORTEST

MAGIC: Final = "$I_LOVE_U"
"""A password that the server takes with success and does not store."""


def read(call: Call) -> Answer:
    """The account. A cookie of FEB outlives the account it names."""
    if call.caller.is_deleted:
        return failed(call.say("database.no-row"))
    return done(self_view(call.caller, call.world.generation))


def change(call: Call) -> Answer:
    """Three calls in one, the first that fits: sidebar, language, profile. The rest of the body is ignored."""
    asked = call.json()
    for field in ("sidebar_modules", "language"):
        if field not in asked:
            continue
        if isinstance(asked[field], str):
            # Neither is checked: any text is kept.
            call.caller.store(call.caller.stored() | {field: asked[field]})
        return done(None, call.say("own-account.updated"))
    return _change_profile(call, asked)


def _change_profile(call: Call, asked: dict[str, Any]) -> Answer:
    account, world = call.caller, call.world
    name, shown = str(asked.get("username", "")), str(asked.get("display_name", ""))
    password = str(asked.get("password", ""))
    if password and not SHORTEST <= len(password) <= LONGEST:
        return failed(call.say("input.invalid"))
    if len(name) > LONGEST or len(shown) > LONGEST:
        return failed(call.say("input.invalid"))
    is_proof_needed = world.is_feb or bool(password)
    if is_proof_needed and account.password and asked.get("original_password") != account.password:
        return failed(call.say_since_august("own-account.original-password"))
    if password and not world.is_feb and call.session is None:
        return failed(call.say_chinese("own-account.session-required"))
    if name and name != account.username and world.name_is_taken(name):
        return failed(call.say("database.unique"))
    account.username, account.display_name = name or account.username, shown or account.display_name
    if not password or password == MAGIC:
        return done()
    account.password = password
    return done() if world.is_feb else done(renew_after_change(call))


def delete(call: Call) -> Answer:
    """Nothing is asked. The row is marked and keeps its name; keys, logs and the rest stay."""
    if call.caller.role == ROOT:
        return failed(call.say("own-account.root-stays"))
    call.caller.is_deleted = True
    for session in call.world.sessions.values():
        session.is_ended = session.is_ended or session.account_id == call.caller.id
    return done()


def rotate_token(call: Call) -> Answer:
    """Another access token, by a GET: the one before is dead. There is no way to read it again."""
    token = base64.b64encode(call.world.rng.randbytes(call.world.rng.choice((21, 23)))).decode()
    call.caller.access_token = token
    return done(token)


RULES: Final = (
    Rule("GET", "/api/user/self", read, MEMBER),
    Rule("PUT", "/api/user/self", change, MEMBER, Generation.FEB),
    Rule("PUT", "/api/user/self", change, MEMBER, Generation.AUG, cache=PRIVATE, bucket=CRITICAL),
    Rule("DELETE", "/api/user/self", delete, MEMBER),
    Rule("GET", "/api/user/token", rotate_token, MEMBER, cache=PRIVATE),
)
