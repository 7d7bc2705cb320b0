"""A server in memory that keeps the settings of one account as a New API server does: each save erases the rest."""

import json
import random
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.harness.scripted_server import SELF, STATUS, answer, raw, refusal

KEPT = ("sidebar_modules", "language", "billing_preference")
CHANNELS = {
    "email": ("notification_email",),
    "webhook": ("webhook_url", "webhook_secret"),
    "bark": ("bark_url",),
    "gotify": ("gotify_url", "gotify_token", "gotify_priority"),
}


@dataclass
class SettingsServer(httpx.AsyncBaseTransport):
    """Noise is drawn from `rng` with `noise` as the share of requests that go wrong."""

    stored: dict[str, Any] = field(default_factory=lambda: {"gotify_priority": 0})
    noise: float = 0.0
    rng: random.Random = field(default_factory=lambda: random.Random(3))
    seen: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    stop_after: int | None = None
    """Requests until the session has ended; None for never."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        route = f"{request.method} {request.url.path}"
        kind = (
            self.rng.choice(("lost before", "lost after", "refused", "busy", "restarting")) if self._is_noisy() else ""
        )
        if kind == "lost before":
            raise httpx.ConnectError("x")
        if kind in ("refused", "restarting"):
            return raw(429 if kind == "refused" else 503)
        given = self._answer(route, request)
        if kind == "lost after":
            raise httpx.ReadError("x")
        return raw(502) if kind == "busy" else given

    def _is_noisy(self) -> bool:
        return self.rng.random() < self.noise

    def _answer(self, route: str, request: httpx.Request) -> httpx.Response:
        self.seen.append(route)
        if route == "GET /api/status":
            return answer(STATUS)
        if self.stop_after is not None:
            self.stop_after -= 1
            if self.stop_after < 0:
                return refusal(status=401)
        if route == "GET /api/user/self":
            text = json.dumps(self.stored) if self.stored else ""
            return answer(SELF | {"setting": text, "sidebar_modules": self.stored.get("sidebar_modules", "")})
        body = json.loads(request.content)
        self.bodies.append(body)
        if route == "PUT /api/user/setting":
            if not body.get("notify_type") or body.get("quota_warning_threshold", 0) <= 0:
                return refusal()
            switches = {
                name: True for name in ("accept_unset_model_ratio_model", "record_ip_log") if body.get(name, False)
            }
            fields = {name: body[name] for name in CHANNELS[body["notify_type"]] if body.get(name)}
            threshold = {"quota_warning_threshold": body["quota_warning_threshold"]}
            self.stored = {"notify_type": body["notify_type"], "gotify_priority": 0} | threshold | fields | switches
            return answer()
        assert route in ("PUT /api/user/self", "PUT /api/subscription/self/preference")
        self.stored |= {name: body[name] for name in KEPT if name in body}
        return answer()
