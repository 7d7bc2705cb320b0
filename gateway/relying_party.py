"""The relying party of passkeys: its id, and the one origin of its page.

Both come from the administrator's settings alone; a Host header changes nothing.
"""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """WebAuthn level 3, section 5.4.2."""

    rp_id: str
    """A host name, such as gateway.example.com or localhost. Passkeys are bound to it."""
    origin: str
    """The origin of the passkey page, such as https://gateway.example.com, without a trailing slash."""
    name: str = "Gatekey"
    """The name that a browser shows."""


def relying_party_problems(rp_id: str, origin: str, public_url: str = "") -> tuple[str, ...]:
    """Reasons why browsers would refuse passkeys with these settings, one sentence each; empty if they would not.

    WebAuthn level 3, sections 5.1.3 and 13.4.9; Secure Contexts, section 3.1.
    """
    unset = tuple(
        f"{name} is not set. Run: gatekey admin site set {name} {example}"
        for name, value, example in (
            ("passkeys.rp_id", rp_id, "gateway.example.com"),
            ("passkeys.origin", origin, "https://gateway.example.com"),
        )
        if not value
    )
    if unset:
        return unset
    page = urlsplit(origin)
    host = page.hostname or ""
    return tuple(
        sentence
        for is_wrong, sentence in (
            (
                _is_address(rp_id) or _is_address(host),
                "Browsers bind a passkey to a name and refuse an IP address. Use a host name or localhost.",
            ),
            (
                page.scheme != "https" and not _is_local(host),
                f"Browsers allow passkeys over https only, or on localhost; {origin} is neither.",
            ),
            (
                not _is_address(host) and host != rp_id and not host.endswith(f".{rp_id}"),
                f"passkeys.rp_id is {rp_id}, which is neither {host} nor a domain above it.",
            ),
            (
                "." not in rp_id and not _is_local(rp_id),
                f"passkeys.rp_id is {rp_id}, a single label; browsers accept only localhost without a dot.",
            ),
            (
                bool(public_url) and _origin(public_url) != _origin(origin),
                f"public_url leads to {_origin(public_url)}, but passkeys work on {_origin(origin)} only.",
            ),
        )
        if is_wrong
    )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_local(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    usual = {"https": ":443", "http": ":80"}.get(parts.scheme, "")
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(usual)}"
