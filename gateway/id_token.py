"""Verification of ID tokens.

OpenID Connect Core 1.0, section 3.1.3.7; RFC 8725 for known attacks. Keys come only from the provider's published set:
a key, a URL or a certificate inside the token is never used.
"""

import binascii
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, UnsupportedAlgorithmError
from joserfc.jwk import JWKRegistry, Key
from joserfc.jws import JWSRegistry, extract_compact
from joserfc.jwt import JWTClaimsRegistry, Token, decode
from joserfc.util import urlsafe_b64decode

from store.errors import IdentityRefused
from store.text import is_sanitized, sanitize

ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
"""Accepted signature algorithms, all asymmetric: no `none`, and no HMAC keyed with public data."""

CLOCK_LEEWAY: Final = timedelta(seconds=60)
"""Accepted difference between the provider's clock and this machine's."""

MAX_SUBJECT_CHARACTERS: Final = 255
"""Core 1.0, section 2: a subject has at most 255 ASCII characters."""

_PUBLIC_MEMBERS: Final[Mapping[str, frozenset[str]]] = {
    "RSA": frozenset({"n", "e"}),
    "EC": frozenset({"crv", "x", "y"}),
    "OKP": frozenset({"crv", "x"}),
}
_COMMON_MEMBERS: Final = frozenset({"kty", "kid", "use", "alg", "key_ops"})
_RSA_BITS: Final = range(2048, 8193)

_CLOCK_SENTENCE: Final = (
    "The provider's answer is dated {seconds} seconds {direction} this machine's clock. "
    "Set the clock to automatic time, then start again."
)

_CLOCK_RANGE_S: Final = 10 * 366 * 86400
"""Seconds. A date further away is invalid, and not explained by a wrong clock."""

_MALFORMED: Final = (
    JoseError,
    UnsupportedAlgorithm,  # a key type unknown to this build of cryptography
    ValueError,  # includes binascii.Error; numbers that are no point on the curve, bytes that are no text
    TypeError,
    KeyError,
    AttributeError,  # a header that is JSON but not an object
    RecursionError,  # deeply nested JSON
)
"""Exceptions of the JOSE library for a malformed token or key."""


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """The claims of a verified ID token."""

    subject: str
    """The provider's stable key for the person. Compare it exactly; it is never an e-mail address."""
    display: str
    """A name to show, safe for a terminal; may be empty."""


def verify_id_token(
    token: str,
    key_set: Mapping[str, object],
    *,
    issuer: str,
    client_id: str,
    now: datetime,
    algorithms: Collection[str] = ALGORITHMS,
) -> VerifiedToken:
    """Verify `token` against the provider's JSON Web Key Set (RFC 7517).

    `issuer` and `client_id` must match exactly. `algorithms` can only narrow `ALGORITHMS`. Raises only IdentityRefused.
    """
    allowed = ALGORITHMS & frozenset(algorithms)
    try:
        header = extract_compact(token.encode("ascii")).headers()
        key = _key_for(header, _signing_keys(key_set))
        verified = decode(token, key, registry=_AllowList(allowed))
    except _MALFORMED as error:
        raise IdentityRefused from error
    return _verified_claims(verified, issuer=issuer, client_id=client_id, now=now)


class _AllowList(JWSRegistry):
    """The library's registry, restricted to the allowed algorithms.

    Unknown headers are ignored (RFC 7515, section 4).
    """

    def __init__(self, allowed: frozenset[str]) -> None:
        super().__init__(algorithms=allowed, strict_check_header=False)
        self._names = allowed

    def get_alg(self, name: str) -> Any:
        # With an empty list the library would fall back to its recommended algorithms.
        if name not in self._names:
            raise UnsupportedAlgorithmError(f"Algorithm of '{name}' is not allowed")
        return self.algorithms[name]


def _key_for(header: Mapping[str, object], keys: list[Key]) -> Key:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str):
        raise UnsupportedAlgorithmError
    # RFC 7515, 4.1.11: an unknown critical extension must be refused, and none is known here. A token with a key of its
    # own is an attack (RFC 8725, 3.10). Logout and access tokens have another type.
    if {"crit", "jwk"} & header.keys() or str(header.get("typ", "JWT")).upper() != "JWT":
        raise IdentityRefused
    matching = [key for key in keys if ("kid" not in header or key.kid == header["kid"]) and _fits(key, algorithm)]
    # Core 1.0, 10.1: without a key id there must be exactly one matching key.
    if len(matching) != 1:
        raise IdentityRefused
    return matching[0]


def _fits(key: Key, algorithm: str) -> bool:
    try:
        JWSRegistry.algorithms[algorithm].check_key(key)
    except JoseError:
        return False
    return True


def _signing_keys(key_set: Mapping[str, object]) -> list[Key]:
    listed = key_set.get("keys")
    found = (_public_key(item) for item in (listed if isinstance(listed, list) else []))
    return [key for key in found if key is not None]


def _public_key(item: object) -> Key | None:
    # RFC 7517, section 5: unknown keys are skipped. Private members are not read.
    if not isinstance(item, dict):
        return None
    members = _PUBLIC_MEMBERS.get(str(item.get("kty")))
    if members is None or not isinstance(item.get("kid", ""), str):
        return None
    public = {name: value for name, value in item.items() if name in members | _COMMON_MEMBERS}
    try:
        if public["kty"] == "RSA" and _bits(public["n"]) not in _RSA_BITS:
            return None
        return JWKRegistry.import_key(public)
    except _MALFORMED:
        return None


def _bits(encoded: object) -> int:
    if not isinstance(encoded, str):
        raise binascii.Error
    return int.from_bytes(urlsafe_b64decode(encoded.encode("ascii"))).bit_length()


def _verified_claims(token: Token, *, issuer: str, client_id: str, now: datetime) -> VerifiedToken:
    claims = token.claims
    moment = int(now.timestamp())
    registry = JWTClaimsRegistry(
        now=moment,
        leeway=int(CLOCK_LEEWAY.total_seconds()),
        iss={"essential": True, "value": issuer},
        sub={"essential": True},
        aud={"essential": True, "value": client_id},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        registry.validate(claims)
    except (ExpiredTokenError, InvalidClaimError) as error:
        raise _refusal(error, claims, moment) from error
    except (JoseError, TypeError, ValueError, OverflowError) as error:
        raise IdentityRefused from error
    audience = claims["aud"]
    if isinstance(audience, list) and len(audience) > 1 and "azp" not in claims:
        raise IdentityRefused
    if claims.get("azp", client_id) != client_id:
        raise IdentityRefused
    subject = claims["sub"]
    if len(subject) > MAX_SUBJECT_CHARACTERS or not subject.isascii() or not is_sanitized(subject):
        raise IdentityRefused
    return VerifiedToken(subject, display_name(claims))


def display_name(claims: Mapping[str, object]) -> str:
    """The best name among the standard claims (Core 1.0, section 5.1), safe for a terminal, or empty."""
    for name in ("preferred_username", "nickname", "name"):
        value = claims.get(name)
        if isinstance(value, str) and value.strip():
            return sanitize(value.strip(), 128)
    return ""


def _refusal(error: ExpiredTokenError | InvalidClaimError, claims: Mapping[str, Any], now: int) -> IdentityRefused:
    """The refusal. It explains a wrong clock, and nothing else."""
    moment = claims.get(error.claim)
    if error.claim not in ("exp", "iat", "nbf") or not isinstance(moment, int | float):
        return IdentityRefused()
    if not now - _CLOCK_RANGE_S < moment < now + _CLOCK_RANGE_S:
        return IdentityRefused()
    offset_s = round(moment - now)
    direction = "ahead of" if offset_s > 0 else "behind"
    return IdentityRefused(_CLOCK_SENTENCE.format(seconds=abs(offset_s), direction=direction))
