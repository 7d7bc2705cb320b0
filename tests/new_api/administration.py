"""The acts of an administrator in the recorded exchanges: accounts, options, a channel, codes, a provider."""

from typing import Any, Final

from tests.new_api.accounts import ADMIN, DISABLED, ENABLED, ROOT, row_view
from tests.new_api.accounts import Account as AnAccount
from tests.new_api.answers import PRIVATE, Answer, done, failed, page_of, plain
from tests.new_api.call import Call, Rule


def create(call: Call) -> Answer:
    """The answer has no id."""
    asked = call.json()
    name = str(asked.get("username", ""))
    if call.world.name_is_taken(name):
        return failed(call.say("database.unique"))
    shown = str(asked.get("display_name") or name)
    call.world.add_account(name, str(asked.get("password", "")), shown, int(asked.get("role", 1)))
    return done()


def _rows(call: Call) -> list[dict[str, Any]]:
    accounts = sorted(call.world.accounts.values(), key=lambda account: -account.id)
    return [row_view(account, call.world.generation) for account in accounts if not account.is_deleted]


def list_accounts(call: Call) -> Answer:
    return done(page_of(_rows(call), *call.page()))


def search(call: Call) -> Answer:
    found = [row for row in _rows(call) if call.query.get("keyword", "") in row["username"]]
    return done(page_of(found, *call.page()))


def read(call: Call) -> Answer:
    found = [row for row in _rows(call) if str(row["id"]) == call.parts["id"]]
    return done(found[0]) if found else failed(call.say("database.no-row"))


def edit(call: Call) -> Answer:
    """AUG ignores the quota, with success."""
    asked = call.json()
    account = call.world.accounts[asked["id"]]
    account.username, account.display_name = asked["username"], asked["display_name"]
    if call.world.is_feb and asked.get("quota", account.quota) != account.quota:
        account.quota = asked["quota"]
        call.world.log(account, 3, "log.quota-changed")
    return done()


def manage(call: Call) -> Answer:
    """The answer to a ban is an empty row with role and status."""
    asked = call.json()
    account = call.world.accounts[asked["id"]]
    action = asked.get("action")
    if action == "add_quota":
        before = 0 if asked.get("mode") == "override" else account.quota
        account.quota = before + asked["value"]
        call.world.log(account, 3, "log.quota-changed")
        return done()
    account.status = DISABLED if action == "disable" else ENABLED
    for session in call.world.sessions.values():
        session.is_ended = session.is_ended or (account.status == DISABLED and session.account_id == account.id)
    empty = AnAccount(0, "", "", "", account.role, account.status, group="")
    return done(row_view(empty, call.world.generation))


def set_option(call: Call) -> Answer:
    asked = call.json()
    call.world.options[str(asked["key"])] = str(asked["value"])
    return done()


def add_channel(call: Call) -> Answer:
    call.world.channels.append(dict(call.json()["channel"]))
    return done()


def channel_key(call: Call) -> Answer:
    """The one route of FEB that asks for a step-up."""
    if call.cookie.get("verified_until", 0) <= call.world.now():
        refused = failed(call.say_chinese("verify.required"), 403, "VERIFICATION_REQUIRED")
        return refused.having(Cache_Control=PRIVATE)
    return done({"key": "sk-stub"}).having(Cache_Control=PRIVATE)


def add_redemption(call: Call) -> Answer:
    asked = call.json()
    codes = [call.world.letters(32, "0123456789abcdef") for _ in range(asked["count"])]
    call.world.redemptions |= dict.fromkeys(codes, asked["quota"])
    return done(codes)


def add_provider(call: Call) -> Answer:
    asked = {name: value for name, value in call.json().items() if name != "client_secret"}
    provider = {"id": len(call.world.providers) + 1, **asked, "well_known": "", "auth_style": 0}
    extra = {} if call.world.is_feb else {"icon": "", "access_policy": "", "access_denied_message": ""}
    call.world.providers.append(provider | extra)
    return plain({"data": provider | extra, "message": call.say_chinese("provider.created"), "success": True})


RULES: Final = (
    Rule("POST", "/api/user/", create, ADMIN),
    Rule("GET", "/api/user/", list_accounts, ADMIN),
    Rule("PUT", "/api/user/", edit, ADMIN),
    Rule("GET", "/api/user/search", search, ADMIN),
    Rule("POST", "/api/user/manage", manage, ADMIN),
    Rule("PUT", "/api/option/", set_option, ROOT),
    Rule("POST", "/api/channel/", add_channel, ADMIN),
    Rule("POST", "/api/channel/:id/key", channel_key, ROOT),
    Rule("POST", "/api/redemption/", add_redemption, ADMIN),
    Rule("POST", "/api/custom-oauth-provider/", add_provider, ROOT),
    Rule("GET", "/api/user/:id", read, ADMIN),
)
