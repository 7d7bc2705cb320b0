"""The list of sessions."""

import pytest

from remote.client import RemoteClient
from store.errors import NotOnThisServer
from tests.harness.scripted_server import SESSION, ScriptedServer, answer, aug_server, refusal, signed_in


async def test_the_own_session_is_first_and_odd_ones_are_left_out(server: ScriptedServer, client: RemoteClient) -> None:
    rows = [{"sid": "sid-2", "ip": "192.0.2.1", "user_agent": "x\x1b[31m"}, {"sid": "../self"}, 7, SESSION]
    server.script("GET /api/user/sessions", answer(rows))
    first, second = await client.login_sessions.all()
    assert (first.session_id, first.is_current, second.source) == ("sid-1", True, "192.0.2.1")
    assert "\x1b" not in second.user_agent
    assert "sid" not in repr(second)


async def test_a_token_is_told_to_sign_in_with_a_password() -> None:
    server = aug_server()
    client = await signed_in(server, with_token=True)
    server.script("GET /api/user/sessions", refusal(status=403, code="AUTH_SESSION_REQUIRED"))
    with pytest.raises(NotOnThisServer, match="sign-in with a password"):
        await client.login_sessions.all()
