"""Codes by e-mail: the verified address of an account, and the password reset that answers with a password."""

from typing import Final

from tests.new_api.answers import Answer, Panic, done, failed
from tests.new_api.call import Call, Rule
from tests.new_api.callers import MEMBER
from tests.new_api.generations import Generation
from tests.new_api.limits import CRITICAL, MAIL, is_over

CODE_S: Final = 600
HEX: Final = "0123456789abcdef"
BIND: Final = "bind"
RESET: Final = "reset"


def send_code(call: Call) -> Answer:
    """Two in half a minute, whatever other limits are on."""
    if is_over(call.world, MAIL, call.address):
        return failed(call.say_chinese("mail.too-many"), 429)
    address = call.query.get("email", "")
    if "@" not in address:
        return failed(call.say_chinese("mail.address"))
    if call.world.account_named(address):
        return failed(call.say_chinese("mail.taken"))
    return _send(call, address, BIND, call.world.letters(6, HEX))


def send_reset(call: Call) -> Answer:
    address = call.query.get("email", "")
    if "@" not in address or not call.world.account_named(address):
        return failed(call.say_chinese("mail.unknown"))
    return _send(call, address, RESET, call.world.letters(32, HEX))


def _send(call: Call, address: str, purpose: str, code: str) -> Answer:
    if not call.world.options.get("SMTPServer"):
        return failed(call.say("mail.no-server"))
    call.world.mail_codes[address, purpose] = (code, call.world.now() + CODE_S)
    call.world.mail.append((address, purpose, code))
    return done()


def is_right(call: Call, address: str, purpose: str, code: str) -> bool:
    held, expires_at = call.world.mail_codes.get((address, purpose), ("", 0))
    return bool(code) and code == held and expires_at > call.world.now()


def bind_by_get(call: Call) -> Answer:
    """FEB looks at the cookie alone: with a right code and an access token it crashes. The code stays good."""
    address = call.query.get("email", "")
    if not is_right(call, address, BIND, call.query.get("code", "")):
        return failed(call.say("mail.code"))
    if call.account is None:
        raise Panic
    call.account.email = address
    return done()


def bind(call: Call) -> Answer:
    asked = call.json()
    address = str(asked.get("email", ""))
    if not is_right(call, address, BIND, str(asked.get("code", ""))):
        return failed(call.say("mail.code"))
    call.caller.email = address
    return done()


def reset(call: Call) -> Answer:
    """The new password comes back in clear."""
    asked = call.json()
    address = str(asked.get("email", ""))
    account = call.world.account_named(address)
    if account is None or not is_right(call, address, RESET, str(asked.get("token", ""))):
        return failed(call.say_chinese("mail.link"))
    del call.world.mail_codes[address, RESET]
    account.password = call.world.letters(12, HEX)
    return done(account.password)


RULES: Final = (
    Rule("GET", "/api/verification", send_code),
    Rule("GET", "/api/reset_password", send_reset, bucket=CRITICAL),
    Rule("POST", "/api/user/reset", reset, bucket=CRITICAL),
    Rule("GET", "/api/oauth/email/bind", bind_by_get, only=Generation.FEB, bucket=CRITICAL),
    Rule("POST", "/api/oauth/email/bind", bind, MEMBER, Generation.AUG),
)
