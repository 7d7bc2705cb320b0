"""A server that answers with anything at all: the client reads it or says that it cannot, and shows nothing raw."""

import dataclasses
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote.client import RemoteClient
from remote.fields import Fields
from remote.sessions import CookieSession
from remote.usage import LogFilter
from store.errors import GatekeyError
from store.text import is_sanitized
from tests.harness.scripted_server import STATUS, ScriptedServer, answer, client_of, raw

NOW: Final = datetime(2026, 11, 26, tzinfo=UTC)
NAMES: Final = (
    *("id", "username", "quota", "setting", "sidebar_modules", "permissions", "role", "items", "total", "key", "name"),
    *("status", "created_time", "expired_time", "remain_quota", "model_limits", "model_limits_enabled", "allow_ips"),
    *("created_at", "content", "other", "model_name", "model_ratio", "completion_ratio", "group_ratio", "data"),
    *("last_used_at", "sid", "ip", "user_agent", "provider_slug", "provider_id", "submit_time", "fail_reason"),
    *("money", "create_time", "notify_type", "quota_warning_threshold", "webhook_url", "chat", "success", "enabled"),
)
TEXTS: Final = st.sampled_from(["", "alice", "\x1b]0;x\x07", "\u202egnp", "2026-11-26T01:43:30Z", '{"key":7}', "[["])
NUMBERS: Final = st.sampled_from([0, 1, -1, 10, 1795657447, 10**12, 10**30, 0.5, 37.5, 1e300, True, False, None])
JSON: Final = st.recursive(
    TEXTS | NUMBERS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=8),
    max_leaves=20,
)
READS: Final[dict[str, Callable[[RemoteClient], Awaitable[Any]]]] = {
    "account": lambda client: client.account(),
    "settings": lambda client: client.settings.read(),
    "keys": lambda client: client.api_keys.all(),
    "key": lambda client: client.api_keys.reveal(1),
    "log": lambda client: client.usage.page(LogFilter()),
    "totals": lambda client: client.usage.totals(LogFilter()),
    "statistics": lambda client: client.usage.statistics(NOW, NOW),
    "drawings": lambda client: client.task_logs.drawings(),
    "top-ups": lambda client: client.wallet.top_ups(),
    "ways": lambda client: client.wallet.ways(),
    "models": lambda client: client.models.available(),
    "prices": lambda client: client.models.prices("default"),
    "sessions": lambda client: client.login_sessions.all(),
    "two-factor": lambda client: client.two_factor.state(),
    "passkey": lambda client: client.passkeys.state(),
    "enrolment": lambda client: client.two_factor.begin("New API", "alice"),
    "token": lambda client: client.access_tokens.rotate(),
}
NOT_SHOWN: Final = {"stored", "other", "settings", "sidebar_text", "hidden_for_role", "admin_sidebar"}
"""Kept as it came, to be sent back; a screen has the other members."""


def texts(value: Any) -> Iterator[str]:
    """Every text in a result that a screen may show."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list | frozenset):
        for one in value:
            yield from texts(one)
    elif dataclasses.is_dataclass(value) and not isinstance(value, Fields):
        for member in dataclasses.fields(value):
            if member.repr and member.name not in NOT_SHOWN:
                yield from texts(getattr(value, member.name))


class Anything(ScriptedServer):
    """Answers every route with the same data, but the status."""

    def __init__(self, data: Any) -> None:
        super().__init__()
        self.data = data

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/status":
            return answer(STATUS)
        if request.url.path == "/api/pricing":
            whole = {"success": True} | (self.data if isinstance(self.data, dict) else {"data": self.data})
            return raw(200, json.dumps(whole).encode(), {"content-type": "application/json"})
        return answer(self.data)


@pytest.mark.parametrize("name", READS)
@given(data=JSON)
@settings(max_examples=60)
async def test_anything_is_read_or_refused_in_our_words(name: str, data: Any) -> None:
    client = client_of(Anything(data))
    await client._keeper.open("alice", CookieSession(2, "cookie-secret"))
    try:
        shown = list(texts(await READS[name](client)))
    except GatekeyError as error:
        shown = [str(error)]
    assert all(is_sanitized(text) for text in shown)


@given(data=JSON)
@settings(max_examples=100)
async def test_any_status_is_read_or_is_no_new_api(data: Any) -> None:
    server = ScriptedServer()
    members = data if isinstance(data, dict) else {}
    server.script("GET /api/status", answer(members | {"version": "\x1bv", "system_name": "x", "quota_per_unit": data}))
    server.script("GET /api/user/self", answer(data))
    try:
        facts = await client_of(server).facts()
        shown = list(texts(facts))
        assert facts.quota_per_usd > 0
    except GatekeyError as error:
        shown = [str(error)]
    assert all(is_sanitized(text) for text in shown)
