"""An identity provider on the loopback that does as it is told: OpenID Connect and GitHub's dialect, one address."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import ECKey

USER_CODE: Final = "WDJB-MJHT"
DEVICE_CODE: Final = "device-code-canary"
ACCESS_TOKEN: Final = "access-token-canary"
_KEY: Final = ECKey.generate_key("P-256", {"kid": "k1", "use": "sig"})


@dataclass
class IdentityProvider:
    """`outcome` is what the next polls are answered; the rest says how it behaves."""

    now: datetime
    """Its clock, for the ID tokens."""
    address: str = ""
    subject: str = "583231"
    display: str = "octocat"
    outcome: str = "authorization_pending"
    """An error code of RFC 8628, or "approved"."""
    broken: str = ""
    """"html" answers every request with a page, "500" with a failure, "stalled" not before it is something else."""
    expires_in: int = 600
    polls: int = 0
    tokens_given: int = 0
    polled: threading.Event = field(default_factory=threading.Event)
    """Set at each poll; a test clears it."""

    asked_in_vain: threading.Event = field(default_factory=threading.Event)
    """Set once a request has been left without an answer."""
    repaired: threading.Event = field(default_factory=threading.Event)
    """Lets go of the requests that a stalled provider holds."""

    def approve(self) -> None:
        self.outcome = "approved"

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, str, bytes]:
        if self.broken == "html":
            return 200, "text/html", b"<html><body>Wi-Fi login \x1b]0;owned\x07</body></html>"
        if self.broken == "stalled":
            self.asked_in_vain.set()
            self.repaired.wait()
            return 503, "application/json", b"{}"
        if self.broken:
            return int(self.broken), "application/json", b"{}"
        known: dict[str, Callable[[], dict[str, Any]]] = {
            "/.well-known/openid-configuration": self._discovery,
            "/device": self._device,
            "/login/device/code": self._device,
            "/token": self._token,
            "/login/oauth/access_token": self._token,
            "/jwks": lambda: {"keys": [_KEY.as_dict(private=False)]},
            "/api/v3/user": lambda: {"id": int(self.subject), "login": self.display},
        }
        if path not in known:
            return 404, "application/json", b"{}"
        answer: dict[str, Any] = known[path]()
        # GitHub tells an error with status 200.
        status = 400 if "error" in answer and path == "/token" else 200
        return status, "application/json", json.dumps(answer).encode()

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.address,
            "device_authorization_endpoint": f"{self.address}/device",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/jwks",
            "id_token_signing_alg_values_supported": ["ES256"],
        }

    def _device(self) -> dict[str, Any]:
        return {
            "device_code": DEVICE_CODE,
            "user_code": USER_CODE,
            "verification_uri": f"{self.address}/activate",
            "verification_uri_complete": f"{self.address}/activate?user_code={USER_CODE}",
            "expires_in": self.expires_in,
        }

    def _token(self) -> dict[str, Any]:
        self.polls += 1
        self.polled.set()
        if self.outcome != "approved":
            return {"error": self.outcome}
        self.tokens_given += 1
        seconds = int(self.now.timestamp())
        claims: dict[str, Any] = {"iss": self.address, "aud": "console", "sub": self.subject, "iat": seconds}
        claims |= {"exp": seconds + 300, "preferred_username": self.display}
        id_token = jwt.encode({"alg": "ES256", "kid": "k1"}, claims, _KEY, algorithms=["ES256"])
        return {"access_token": ACCESS_TOKEN, "token_type": "bearer", "id_token": id_token}


@contextmanager
def identity_provider(now: datetime) -> Iterator[IdentityProvider]:
    """A provider that listens until the block ends."""
    provider = IdentityProvider(now)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 (the library's name)
            return

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            self._answer({name: values[0] for name, values in parse_qs(content).items()})

        def _answer(self, form: dict[str, str]) -> None:
            status, kind, body = provider.answer(self.path, form)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            with suppress(ConnectionError):  # whoever asked may have gone
                self.end_headers()
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        provider.repaired.set()
        server.shutdown()
        server.server_close()
        thread.join()
