"""API keys: in clear in FEB's lists, masked in AUG's, and the key itself on demand."""

import fnmatch
from typing import Any, Final

from tests.new_api.accounts import Account
from tests.new_api.answers import PRIVATE, Answer, Refused, done, failed, page_of
from tests.new_api.call import Call, Rule
from tests.new_api.callers import MEMBER
from tests.new_api.generations import Generation
from tests.new_api.limits import SEARCH
from tests.new_api.world import World

LONGEST_NAME: Final = 50
NEVER: Final = -1
ENABLED: Final = 1
OFF: Final = 2
EXPIRED: Final = 3
EXHAUSTED: Final = 4
_GIVEN: Final[dict[str, Any]] = {
    "name": "",
    "expired_time": 0,
    "remain_quota": 0,
    "unlimited_quota": False,
    "model_limits_enabled": False,
    "model_limits": "",
    "allow_ips": "",
    "group": "",
    "cross_group_retry": False,
}


def shown(world: World, key: dict[str, Any]) -> dict[str, Any]:
    """A row as lists and edits answer it."""
    names = ("id", "user_id", "key", "status", "name", "created_time", "accessed_time", "expired_time")
    limits = ("remain_quota", "unlimited_quota", "model_limits_enabled", "model_limits", "allow_ips", "used_quota")
    row = {name: key[name] for name in (*names, *limits, "group", "cross_group_retry")} | {"DeletedAt": None}
    if not world.is_feb:
        row |= {"key": f"{key['key'][:4]}**********{key['key'][-4:]}", "auto_groups": None}
    return row


def _mine(call: Call) -> list[dict[str, Any]]:
    """The caller's keys, the newest first."""
    return [key for key in reversed(call.world.keys) if key["user_id"] == call.caller.id]


def _one(call: Call, number: Any) -> dict[str, Any]:
    found = next((key for key in _mine(call) if str(key["id"]) == str(number)), None)
    if found is None:
        raise Refused(failed(call.say("database.no-row")))
    return found


def list_keys(call: Call) -> Answer:
    return done(page_of([shown(call.world, key) for key in _mine(call)], *call.page()))


def search(call: Call) -> Answer:
    """The whole name, unless the keyword holds `%`."""
    keyword, token = call.query.get("keyword", ""), call.query.get("token", "").removeprefix("sk-")
    pattern = keyword.replace("%", "*")
    found = [
        shown(call.world, key)
        for key in _mine(call)
        if (not keyword or fnmatch.fnmatchcase(key["name"], pattern)) and (not token or key["key"] == token)
    ]
    return done(page_of(found, *call.page()))


def read(call: Call) -> Answer:
    return done(shown(call.world, _one(call, call.parts["id"])))


def create(call: Call) -> Answer:
    """The answer has neither id nor key."""
    asked = _checked(call)
    add_key(call.world, call.caller, **{name: asked.get(name, value) for name, value in _GIVEN.items()})
    return done()


def add_key(world: World, account: Account, **given: Any) -> dict[str, Any]:
    """A key of an account; a test may make one without a request."""
    number = max((key["id"] for key in world.keys), default=0) + 1
    key = {
        **_GIVEN,
        "id": number,
        "user_id": account.id,
        "key": world.letters(48),
        "status": ENABLED,
        "used_quota": 0,
        "created_time": world.now(),
        "accessed_time": world.now(),
        **given,
    }
    world.keys.append(key)
    return key


def edit(call: Call) -> Answer:
    """All of it, or with `status_only` the status alone."""
    asked = call.json()
    key = _one(call, asked.get("id"))
    if "status_only" not in call.query:
        _checked(call)
        key |= {name: asked.get(name, value) for name, value in _GIVEN.items()}
        return done(shown(call.world, key))
    if asked.get("status") == ENABLED:
        if key["expired_time"] not in (NEVER, 0) and key["expired_time"] <= call.world.now():
            return failed(call.say("key.expired"))
        if key["remain_quota"] <= 0 and not key["unlimited_quota"]:
            return failed(call.say("key.exhausted"))
    key["status"] = asked.get("status")
    return done(shown(call.world, key))


def _checked(call: Call) -> dict[str, Any]:
    asked = call.json()
    if len(str(asked.get("name", "")).encode()) > LONGEST_NAME:
        raise Refused(failed(call.say("key.name-too-long")))
    if not asked.get("unlimited_quota") and asked.get("remain_quota", 0) < 0:
        raise Refused(failed(call.say("key.quota-negative")))
    return asked


def reveal(call: Call) -> Answer:
    return done({"key": _one(call, call.parts["id"])["key"]})


def delete(call: Call) -> Answer:
    call.world.keys.remove(_one(call, call.parts["id"]))
    return done()


def delete_several(call: Call) -> Answer:
    numbers = call.json().get("ids") or []
    gone = [key for key in _mine(call) if key["id"] in numbers]
    for key in gone:
        call.world.keys.remove(key)
    return done(len(gone))


RULES: Final = (
    Rule("GET", "/api/token/", list_keys, MEMBER),
    Rule("GET", "/api/token/search", search, MEMBER, bucket=SEARCH),
    Rule("GET", "/api/token/:id", read, MEMBER),
    Rule("POST", "/api/token/", create, MEMBER),
    Rule("PUT", "/api/token/", edit, MEMBER),
    Rule("DELETE", "/api/token/:id", delete, MEMBER),
    Rule("POST", "/api/token/batch", delete_several, MEMBER),
    Rule("POST", "/api/token/:id/key", reveal, MEMBER, Generation.AUG, cache=PRIVATE),
)
