"""Bindings, by the address that a browser landed at, and the e-mail address by a code."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from store.errors import (
    BrowserNeeded,
    IdentityRefused,
    InvalidEmail,
    InvalidUrl,
    NoSuchItem,
    NotOnThisServer,
    ServerRefused,
    WrongCode,
)
from tests.harness.scripted_server import (
    SELF,
    STATUS,
    ScriptedServer,
    answer,
    aug_server,
    feb_server,
    refusal,
    signed_in,
)

FORGE = {
    "name": "Forge",
    "slug": "forge",
    "client_id": "cid",
    "authorization_endpoint": "https://forge.example/authorize",
    "scopes": "openid",
}
OFFERED = {"github_oauth": True, "github_client_id": "gid", "custom_oauth_providers": [FORGE]}


def offering(server: ScriptedServer, **more: object) -> ScriptedServer:
    marks = {"_qn": "x", "top_up_link": ""} if "GET /api/user/logout" in server.routes else {"register_enabled": True}
    server.script("GET /api/status", answer(STATUS | marks | OFFERED | more))
    return server


async def test_providers_are_listed_with_what_is_bound() -> None:
    server = offering(feb_server())
    client = await signed_in(server)
    account = SELF | {"github_id": "octo", "telegram_id": "tele", "linux_do_id": "ld"}
    server.script("GET /api/user/self", answer(account))
    rows = [
        {"provider_id": 1, "provider_name": "Forge", "provider_slug": "forge", "provider_user_id": "prov-1"},
        {"provider_id": 2, "provider_name": "Gone", "provider_slug": "gone", "provider_user_id": "prov-2"},
    ]
    server.script("GET /api/user/oauth/bindings", answer(rows))
    found = {one.slug: one for one in await client.bindings.all(await client.account())}
    assert {slug: (one.is_enabled, one.identity, one.unbind_id) for slug, one in found.items()} == {
        "github": (True, "octo", None),
        "forge": (True, "prov-1", 1),
        "telegram": (False, "tele", None),
        "linuxdo": (False, "ld", None),
        "gone": (False, "prov-2", 2),
    }


@pytest.mark.parametrize("make", [feb_server, aug_server])
async def test_a_binding_is_begun_here_and_completed_with_the_address_of_the_browser(make: object) -> None:
    server = offering(feb_server() if make is feb_server else aug_server())
    client = await signed_in(server)
    server.script("GET /api/oauth/state", answer("state-secret", cookies=("session=with-state-secret",)))
    server.script("POST /api/oauth/state", answer({"flow_token": "state-secret"}))
    started = await client.bindings.begin("forge")
    query = parse_qs(urlsplit(started.url).query)
    assert started.url.startswith("https://forge.example/authorize?")
    assert query == {
        "client_id": ["cid"],
        "state": ["state-secret"],
        "scope": ["openid"],
        "response_type": ["code"],
        "redirect_uri": ["https://api.example.com/oauth/forge"],
    }
    assert "secret" not in repr(started)
    server.script("GET /api/oauth/forge", answer({"action": "bind"}), refusal())
    landed = "https://api.example.com/oauth/forge?code=good&state=state-secret"
    await client.bindings.finish(started, landed)
    sent = server.asked("GET /api/oauth/forge")[0]
    assert dict(sent.url.params) == {"code": "good", "state": "state-secret"}
    if make is feb_server:
        assert sent.headers["cookie"] == "session=with-state-secret", "the state is in the cookie"
    with pytest.raises(InvalidUrl):
        await client.bindings.finish(started, "https://api.example.com/oauth/forge")
    with pytest.raises(IdentityRefused, match="another try"):
        await client.bindings.finish(started, "https://api.example.com/oauth/forge?code=good&state=forged")
    assert len(server.asked("GET /api/oauth/forge")) == 1
    server.script("GET /api/user/self", answer(SELF))
    with pytest.raises(IdentityRefused):
        await client.bindings.finish(started, landed)


async def test_github_has_its_own_form_and_a_provider_that_is_off_none() -> None:
    server = offering(aug_server())
    client = await signed_in(server)
    server.script("POST /api/oauth/state", answer({"flow_token": "state-secret"}))
    started = await client.bindings.begin("github")
    assert parse_qs(urlsplit(started.url).query) == {
        "client_id": ["gid"],
        "state": ["state-secret"],
        "scope": ["user:email"],
    }
    with pytest.raises(NoSuchItem):
        await client.bindings.begin("discord")
    by_token = await signed_in(offering(aug_server()), with_token=True)
    with pytest.raises(NotOnThisServer):
        await by_token.bindings.begin("github")


async def test_a_binding_is_removed() -> None:
    server = feb_server()
    client = await signed_in(server)
    server.script("DELETE /api/user/oauth/bindings/1", answer())
    await client.bindings.unbind(1)
    assert server.seen[-1].url.path == "/api/user/oauth/bindings/1"


async def test_an_email_address_is_bound_by_a_code() -> None:
    for server, route in ((feb_server(), "GET"), (aug_server(), "POST")):
        client = await signed_in(server)
        server.script("GET /api/verification", answer(), refusal())
        await client.bindings.send_email_code("alice@example.com")
        assert server.seen[-1].url.params["email"] == "alice@example.com"
        server.script(f"{route} /api/oauth/email/bind", answer(), refusal())
        await client.bindings.bind_email("alice@example.com", " 61022a ")
        sent = server.seen[-1]
        given = dict(sent.url.params) if route == "GET" else json.loads(sent.content)
        assert given == {"email": "alice@example.com", "code": "61022a"}
        with pytest.raises(WrongCode, match="newest e-mail"):
            await client.bindings.bind_email("alice@example.com", "000000")
        with pytest.raises(ServerRefused, match="mail server"):
            await client.bindings.send_email_code("bob@example.com")
        with pytest.raises(InvalidEmail):
            await client.bindings.send_email_code("nonsense")


async def test_what_would_make_the_server_fail_is_not_sent() -> None:
    server = feb_server()
    client = await signed_in(server, with_token=True)
    with pytest.raises(NotOnThisServer):
        await client.bindings.bind_email("alice@example.com", "61022a")
    captcha = await signed_in(feb_server())
    captcha._server._facts = None
    offering(captcha._transport._inner, turnstile_check=True)  # type: ignore[arg-type]
    with pytest.raises(BrowserNeeded):
        await captcha.bindings.send_email_code("alice@example.com")
