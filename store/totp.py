"""Time-based one-time passwords (RFC 6238): HMAC-SHA-1, 6 digits, 30 seconds, which every authenticator supports."""

import base64
import hmac
import random
from datetime import datetime
from typing import Final

import pyotp

from store.errors import ClockSkewed, WrongCode
from store.values.two_factor import CODE_DIGITS, CODE_SECONDS

ISSUER: Final = "Gatekey"
SECRET_BYTES: Final = 20
"""160 bits, the length of the hash (RFC 4226, section 4, R6)."""
DRIFT_STEPS: Final = 1
DIAGNOSED_STEPS: Final = 10
"""A code up to this many steps away is refused with the difference between the clocks."""


def new_secret(rng: random.Random) -> str:
    """A new random secret in base32 (RFC 4648, section 6), 32 characters without padding."""
    return base64.b32encode(rng.randbytes(SECRET_BYTES)).decode()


def provisioning_uri(secret: str, account_name: str) -> str:
    """The `otpauth://` URI for authenticator apps (Key URI Format)."""
    return pyotp.TOTP(secret).provisioning_uri(name=account_name, issuer_name=ISSUER)


def looks_like_code(text: str) -> bool:
    """True if `text` is six ASCII digits, spaces and dashes aside."""
    bare = strip(text)
    return len(bare) == CODE_DIGITS and bare.isascii() and bare.isdigit()


def strip(text: str) -> str:
    """`text` without spaces and dashes."""
    return text.replace(" ", "").replace("-", "")


def step_at(now: datetime) -> int:
    """The number of the 30-second time step at `now` (RFC 6238, section 4.2)."""
    return int(now.timestamp()) // CODE_SECONDS


def matching_step(secret: str, text: str, now: datetime, drift_steps: int = DRIFT_STEPS) -> int:
    """The time step of the code `text`, at most `drift_steps` away from `now`.

    Raises `WrongCode`, or `ClockSkewed` for a code of a step up to `DIAGNOSED_STEPS` away. The caller stores the used
    step, because a code must not be accepted twice (RFC 6238, section 5.2).
    """
    if not looks_like_code(text):
        raise WrongCode(field="code")
    totp, code, current = pyotp.TOTP(secret), strip(text).encode(), step_at(now)
    for distance in sorted(range(-DIAGNOSED_STEPS, DIAGNOSED_STEPS + 1), key=abs):
        step = current + distance
        if step >= 0 and hmac.compare_digest(totp.generate_otp(step).encode(), code):
            if abs(distance) <= drift_steps:
                return step
            raise ClockSkewed(distance * CODE_SECONDS)
    raise WrongCode(field="code")
