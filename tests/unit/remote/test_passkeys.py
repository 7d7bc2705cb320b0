"""The passkey: its state, and the proof that its removal wants."""

import json
from datetime import UTC, datetime

import pytest

from remote.client import RemoteClient
from store.errors import FreshProofRequired, NotOnThisServer, ServerRefused
from tests.harness.scripted_server import ScriptedServer, answer, bundle, feb_server, refusal, signed_in

ROUTE = "DELETE /api/user/passkey"
PROOF_NEEDED = refusal(status=403, code="SECURITY_PROOF_REQUIRED")


@pytest.mark.parametrize(
    ("data", "is_registered", "last_used_at"),
    [
        ({"enabled": False}, False, None),
        ({"enabled": True, "last_used_at": None}, True, None),
        (
            {"enabled": True, "last_used_at": "2026-11-26T01:43:30.958239429Z"},
            True,
            datetime(2026, 11, 26, 1, 43, 30, 958239, tzinfo=UTC),
        ),
        ({"enabled": True, "last_used_at": "yesterday"}, True, None),
    ],
)
async def test_the_state_is_read(data: object, is_registered: bool, last_used_at: datetime | None) -> None:
    server = feb_server()
    client = await signed_in(server)
    server.script("GET /api/user/passkey", answer(data))
    state = await client.passkeys.state()
    assert (state.is_registered, state.last_used_at) == (is_registered, last_used_at)


async def test_the_older_generation_asks_for_nothing() -> None:
    server = feb_server()
    client = await signed_in(server)
    server.script(ROUTE, answer())
    await client.passkeys.remove()
    assert "x-security-proof" not in server.seen[-1].headers


async def test_with_a_second_factor_a_code_makes_the_proof(server: ScriptedServer, client: RemoteClient) -> None:
    server.script(ROUTE, PROOF_NEEDED, bundle(9, with_user=False))
    server.script("GET /api/user/2fa/status", answer({"enabled": True}))
    with pytest.raises(FreshProofRequired):
        await client.passkeys.remove()
    server.script("POST /api/verify", answer({"proof_token": "proof-secret"}))
    await client.passkeys.remove("123456")
    asked = json.loads(server.asked("POST /api/verify")[0].content)
    assert asked == {"method": "2fa", "code": "123456", "scope": "passkey.delete"}
    assert server.asked(ROUTE)[-1].headers["x-security-proof"] == "proof-secret"
    await client.account()
    assert server.seen[-1].headers["authorization"] == "Bearer eyJ-access-secret-9"


async def test_without_one_only_the_passkey_itself_would_do(server: ScriptedServer, client: RemoteClient) -> None:
    server.script(ROUTE, PROOF_NEEDED, refusal())
    server.script("GET /api/user/2fa/status", answer({"enabled": False}))
    with pytest.raises(NotOnThisServer, match="in a browser"):
        await client.passkeys.remove()
    with pytest.raises(ServerRefused):
        await client.passkeys.remove()
