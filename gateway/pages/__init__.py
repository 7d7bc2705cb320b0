"""The passkey page: three static files, the headers they go out with, and the addresses they live at.

No build step, no request to anybody else, nothing inline: the policy below would stop it.

The script speaks two requests, both POST with a JSON object, both on the page's own origin:

    /passkey/api/options  {code}              -> {purpose, publicKey, user, expires_in}
    /passkey/api/finish   {code, credential}  -> {ok: true}

`purpose` is "register", "sign-in" or "prove"; `publicKey` is what `webauthn_ceremony` made; `user` is the account's
name, or empty before a sign-in; `expires_in` is in seconds. `finish` may add a `sentence` for the last step. A
refusal has a status of 400 or more and the body {error: {title, sentence}}.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final
from urllib.parse import quote

PAGE_PATH: Final = "/passkey"
OPTIONS_PATH: Final = "/passkey/api/options"
FINISH_PATH: Final = "/passkey/api/finish"

_POLICY: Final[Mapping[str, str]] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}

PAGE_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "publickey-credentials-create=(self), publickey-credentials-get=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Headers of every file of the page."""

_FILES: Final[Mapping[str, tuple[str, str]]] = {
    PAGE_PATH: ("passkey.html", "text/html; charset=utf-8"),
    "/passkey/passkey.css": ("passkey.css", "text/css; charset=utf-8"),
    "/passkey/passkey.js": ("passkey.js", "text/javascript; charset=utf-8"),
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, ready to send."""

    body: bytes
    media_type: str


def assets() -> dict[str, Asset]:
    """Every file by its path. Reads the package's files: call it once, at startup."""
    folder = files(__package__)
    return {path: Asset((folder / name).read_bytes(), kind) for path, (name, kind) in _FILES.items()}


def page_address(origin: str, code: str = "") -> str:
    """The URL of the page, with `code` filled in for a QR code.

    The code is a fragment, which browsers do not send: it reaches no access log and no Referer.
    """
    return f"{origin}{PAGE_PATH}#{quote(code, safe='-')}" if code else f"{origin}{PAGE_PATH}"
