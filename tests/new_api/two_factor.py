"""Two-factor authentication: setup, codes, backup codes and the lock. A code is good again within its time (replay)."""

import base64
import hashlib
import hmac
import string
from typing import Any, Final

from tests.new_api.accounts import Account, TwoFactor
from tests.new_api.answers import PRIVATE, Answer, Refused, done, failed
from tests.new_api.call import Call, Rule
from tests.new_api.callers import MEMBER
from tests.new_api.sessions import renew_after_change
from tests.new_api.world import World

MOST_FAILURES: Final = 5
LOCK_S: Final = 300
STEP_S: Final = 30
DIGITS: Final = 6
CODES: Final = 4
BASE32: Final = string.ascii_uppercase + "234567"


def code_at(secret: str, moment: int) -> str:
    """The six digits of the step that a moment lies in (RFC 6238, SHA-1)."""
    mac = hmac.digest(base64.b32decode(secret), (moment // STEP_S).to_bytes(8), hashlib.sha1)
    start = mac[-1] & 0xF
    return f"{(int.from_bytes(mac[start : start + 4]) & 0x7FFFFFFF) % 10**DIGITS:06}"


def is_right(world: World, factor: TwoFactor, code: str) -> bool:
    """True for the step now, the one before and the one after. Used codes are not remembered."""
    return any(code == code_at(factor.secret, world.now() + late * STEP_S) for late in (-1, 0, 1))


def refusal(call: Call, account: Account, code: str) -> str:
    """Take a code of the app or a backup code; the sentence that refuses it, empty if it is right."""
    factor = account.two_factor
    if is_locked(call, factor):
        return call.say_chinese("two-factor.locked")
    code = code.replace(" ", "")
    is_number = len(code) == DIGITS and code.isdigit()
    spare = code.replace("-", "").upper()
    if (is_number and is_right(call.world, factor, code)) or (not is_number and spare in factor.codes):
        if not is_number:
            factor.codes.remove(spare)
        factor.failures = 0
        return ""
    count_failure(call, factor)
    if is_locked(call, factor):
        return call.say_chinese("two-factor.locked")
    return call.say_chinese("two-factor.wrong" if is_number else "two-factor.wrong-try-again")


def count_failure(call: Call, factor: TwoFactor) -> None:
    """The count outlives the lock: after it, the next single miss locks again."""
    factor.failures += 1
    if factor.failures >= MOST_FAILURES:
        factor.locked_until = call.world.now() + LOCK_S


def is_locked(call: Call, factor: TwoFactor) -> bool:
    return factor.locked_until > call.world.now()


def status(call: Call) -> Answer:
    factor = call.caller.two_factor
    left = {"backup_codes_remaining": len(factor.codes)} if factor.is_enabled else {}
    return done({**left, "enabled": factor.is_enabled, "locked": is_locked(call, factor)})


def set_up(call: Call) -> Answer:
    """Another secret and other codes at each call; the former are void."""
    account = call.caller
    if account.two_factor.is_enabled:
        return failed(call.say_chinese("two-factor.on-already"))
    secret = call.world.letters(32, BASE32)
    codes = _new_codes(call.world)
    account.two_factor = TwoFactor(secret, [code.replace("-", "") for code in codes])
    issuer = "New API"
    # Nothing is escaped here: a blank in the issuer is a blank in the address.
    address = (
        f"otpauth://totp/{issuer}:{account.username} ({issuer})"
        f"?secret={secret}&issuer={issuer}&digits={DIGITS}&period={STEP_S}"
    )
    _log(call, "log.two-factor-begun")
    data = {"secret": secret, "qr_code_data": address, "backup_codes": codes}
    return done(data, call.say_chinese("two-factor.begun"))


def enable(call: Call) -> Answer:
    code = _six_digits(call)
    factor = call.caller.two_factor
    if not factor.secret:
        return failed(call.say_chinese("two-factor.not-begun"))
    if factor.is_enabled:
        return failed(call.say_chinese("two-factor.enabled-already"))
    if not is_right(call.world, factor, _checked(call, code)):
        return failed(call.say_chinese("two-factor.wrong-try-again"))
    factor.is_enabled = True
    _log(call, "log.two-factor-on")
    return _done_and_renewed(call, {}, "two-factor.enabled")


def disable(call: Call) -> Answer:
    account = call.caller
    code = _six_digits(call)
    if not account.two_factor.is_enabled:
        return failed(call.say_chinese("two-factor.off"))
    if sentence := refusal(call, account, code):
        return failed(sentence)
    account.two_factor = TwoFactor()
    _log(call, "log.two-factor-off")
    return _done_and_renewed(call, {}, "two-factor.disabled")


def renew_codes(call: Call) -> Answer:
    """Other backup codes, for a code of the app alone."""
    factor = call.caller.two_factor
    code = _six_digits(call)
    if not factor.is_enabled:
        return failed(call.say_chinese("two-factor.off"))
    code = _checked(call, code)
    if is_locked(call, factor):
        return failed(call.say_chinese("two-factor.locked"))
    if not is_right(call.world, factor, code):
        count_failure(call, factor)
        return failed(call.say_chinese("two-factor.wrong-try-again"))
    factor.failures = 0
    codes = _new_codes(call.world)
    factor.codes = [code.replace("-", "") for code in codes]
    _log(call, "log.two-factor-codes")
    return _done_and_renewed(call, {"backup_codes": codes}, "two-factor.codes-renewed")


def _six_digits(call: Call) -> str:
    """The field `code`, which has to be there."""
    code = call.json().get("code")
    if not isinstance(code, str) or not code:
        raise Refused(failed(call.say_chinese("two-factor.parameters")))
    return code


def _checked(call: Call, code: str) -> str:
    """A code of the app: six digits, blanks ignored."""
    code = code.replace(" ", "")
    if len(code) != DIGITS:
        raise Refused(failed(call.say_chinese("two-factor.six-digits")))
    if not code.isdigit():
        raise Refused(failed(call.say_chinese("two-factor.digits-only")))
    return code


def _done_and_renewed(call: Call, data: dict[str, Any], code: str) -> Answer:
    """AUG adds a new bundle, since the old one is dead."""
    if not call.world.is_feb:
        data = renew_after_change(call) | data
    sentence = call.say_chinese(code)
    return done(data, sentence) if data else done(message=sentence)


def _new_codes(world: World) -> list[str]:
    alphabet = string.ascii_uppercase + string.digits
    return [f"{world.letters(4, alphabet)}-{world.letters(4, alphabet)}" for _ in range(CODES)]


def _log(call: Call, code: str) -> None:
    call.world.log(call.caller, 4, code)


_BASE: Final = "/api/user/2fa"
RULES: Final = (
    Rule("GET", f"{_BASE}/status", status, MEMBER),
    Rule("POST", f"{_BASE}/setup", set_up, MEMBER, cache=PRIVATE),
    Rule("POST", f"{_BASE}/enable", enable, MEMBER, cache=PRIVATE),
    Rule("POST", f"{_BASE}/disable", disable, MEMBER, cache=PRIVATE),
    Rule("POST", f"{_BASE}/backup_codes", renew_codes, MEMBER, cache=PRIVATE),
)
