"""Setup, sign-in by password with its second step, sign-up, and FEB's sign-out."""

from typing import Final

from tests.new_api import two_factor
from tests.new_api.accounts import DISABLED, Account, signed_in_view
from tests.new_api.answers import PRIVATE, Answer, Refused, done, failed, plain
from tests.new_api.call import Call, Rule
from tests.new_api.generations import Generation
from tests.new_api.limits import CRITICAL
from tests.new_api.mail_codes import BIND, is_right
from tests.new_api.sessions import open_session
from tests.new_api.world import Flow

FLOW_S: Final = 300
SHORTEST: Final = 8
LONGEST: Final = 20
LONGEST_ROOT_NAME: Final = 12


def read_setup(call: Call) -> Answer:
    is_set_up = call.world.is_set_up
    database = "" if is_set_up else "sqlite"
    return plain({"data": {"status": is_set_up, "root_init": False, "database_type": database}, "success": True})


def set_up(call: Call) -> Answer:
    """The first start: makes the root account. Its refusals are Chinese whatever the language."""
    asked = call.any_json()
    refusal = ""
    if call.world.is_set_up:
        refusal = "setup.done-already"
    elif not isinstance(asked, dict):
        refusal = "setup.parameters"
    elif len(str(asked.get("username", "")).encode()) > LONGEST_ROOT_NAME:
        refusal = "setup.name-too-long"
    elif asked.get("password") != asked.get("confirmPassword"):
        refusal = "setup.confirmation"
    elif len(str(asked.get("password", ""))) < SHORTEST:
        refusal = "setup.password-short"
    if refusal:
        return plain({"message": call.say_chinese(refusal), "success": False})
    call.world.set_up(str(asked["username"]), str(asked["password"]))
    return done(message=call.say_chinese("setup.ready"))


def sign_in(call: Call) -> Answer:
    """The first step. With two-factor authentication on, success is true and nobody is signed in yet."""
    asked = call.json()
    name, password = str(asked.get("username", "")), str(asked.get("password", ""))
    if not name or not password:
        return failed(call.say("parameters.invalid"))
    account = call.world.account_named(name)
    if account is None or account.password != password or account.status == DISABLED:
        return failed(call.say_since_august("sign-in.refused"))
    if not account.two_factor.is_enabled:
        return signed_in(call, account, "password")
    call.account = account
    message = call.say("sign-in.second-step")
    if call.world.is_feb:
        call.give_cookie({"pending": account.id})
        return done({"require_2fa": True}, message)
    token = call.world.letters(43)
    expires_at = call.world.now() + FLOW_S
    call.world.flows[token] = Flow("sign-in", expires_at, account.id)
    return done({"expires_at": expires_at, "flow_token": token, "require_2fa": True}, message)


def second_step(call: Call) -> Answer:
    """A code of the app, or a backup code. The token of the step outlives wrong codes."""
    asked = call.json()
    code = asked.get("code")
    if not isinstance(code, str) or not code:
        return failed(call.say_chinese("two-factor.parameters"))
    account = _pending(call, str(asked.get("flow_token", "")))
    if refusal := two_factor.refusal(call, account, code):
        return failed(refusal)
    if call.world.is_feb:
        # The server writes the cookie twice: without the pending name, then with the account.
        call.give_cookie({})
    else:
        del call.world.flows[str(asked["flow_token"])]
    return signed_in(call, account, "2fa")


def _pending(call: Call, token: str) -> Account:
    """The account that has passed the first step."""
    number = call.cookie.get("pending", 0)
    if not call.world.is_feb:
        flow = call.world.flows.get(token)
        is_alive = flow is not None and flow.kind == "sign-in" and flow.expires_at > call.world.now()
        number = flow.account_id if flow and is_alive else 0
    account = call.world.accounts.get(number)
    if account is None or account.is_deleted:
        raise Refused(failed(call.say_chinese("sign-in.step-expired")))
    return account


def signed_in(call: Call, account: Account, method: str) -> Answer:
    """The answer to every way of signing in."""
    if not call.world.is_feb:
        note_sign_in(call, account, method)
        return open_session(call, account, method)
    view = signed_in_view(account)
    call.give_cookie({name: view[name] for name in ("id", "username", "role", "status", "group")})
    return done(view)


def note_sign_in(call: Call, account: Account, method: str) -> None:
    """AUG logs sign-ins with address and program, whatever the account's privacy setting says."""
    other = {
        "login_method": method,
        "op": {"action": "login", "params": {"method": method}},
        "user_agent": call.headers.get("user-agent", ""),
    }
    call.world.log(account, 7, f"log.signed-in {method}", ip=call.address, other=other)


def sign_out(call: Call) -> Answer:
    """FEB: another cookie that says nothing. The one before stays good for whoever kept it."""
    call.give_cookie({})
    return done()


def sign_up(call: Call) -> Answer:
    """A new account. That a mailed code is asked for was not recorded: it stands in the server's source."""
    asked = call.json()
    name, password = str(asked.get("username", "")), str(asked.get("password", ""))
    if call.world.options.get("RegisterEnabled") == "false":
        return failed(call.say("sign-up.closed"))
    if not name or len(name) > LONGEST or not SHORTEST <= len(password) <= LONGEST:
        return failed(call.say("input.invalid"))
    email = str(asked.get("email", ""))
    if call.world.status.get("email_verification") and not is_right(
        call, email, BIND, str(asked.get("verification_code", ""))
    ):
        return failed(call.say("mail.code"))
    if call.world.name_is_taken(name):
        return failed(call.say("sign-up.name-taken"))
    call.world.add_account(name, password).email = email
    return done()


RULES: Final = (
    Rule("GET", "/api/setup", read_setup),
    Rule("POST", "/api/setup", set_up),
    Rule("POST", "/api/user/login", sign_in, cache=PRIVATE, bucket=CRITICAL),
    Rule("POST", "/api/user/login/2fa", second_step, cache=PRIVATE, bucket=CRITICAL),
    Rule("POST", "/api/user/register", sign_up, bucket=CRITICAL),
    Rule("GET", "/api/user/logout", sign_out, only=Generation.FEB),
)
