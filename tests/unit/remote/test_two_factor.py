"""Two-factor authentication: a wrong code and a lock, which the server refuses alike."""

import pytest

from remote.client import RemoteClient
from store.errors import AlreadyEnabled, AnswerUnreadable, ServerRefused, TooManyAttempts, WrongCode
from tests.harness.scripted_server import ScriptedServer, answer, refusal

STATUS = "GET /api/user/2fa/status"


def state(*, enabled: bool = True, locked: bool = False) -> object:
    return answer({"enabled": enabled, "locked": locked, "backup_codes_remaining": 4})


async def test_a_lock_is_told_from_a_wrong_code(server: ScriptedServer, client: RemoteClient) -> None:
    server.script("POST /api/user/2fa/disable", refusal())
    server.script(STATUS, state(), state(locked=True))  # type: ignore[arg-type]
    with pytest.raises(WrongCode):
        await client.two_factor.disable("000000")
    with pytest.raises(TooManyAttempts, match="300 seconds"):
        await client.two_factor.disable("000000")


async def test_an_enrolment_over_one_that_is_on_is_refused_as_such(
    server: ScriptedServer, client: RemoteClient
) -> None:
    server.script("POST /api/user/2fa/setup", refusal())
    server.script(STATUS, state(), state(enabled=False))  # type: ignore[arg-type]
    with pytest.raises(AlreadyEnabled):
        await client.two_factor.begin("New API", "alice")
    with pytest.raises(ServerRefused):
        await client.two_factor.begin("New API", "alice")


@pytest.mark.parametrize("secret", ["", "has blanks", "\x1b[31m"])
async def test_an_odd_secret_is_not_shown(secret: str, server: ScriptedServer, client: RemoteClient) -> None:
    server.script("POST /api/user/2fa/setup", answer({"secret": secret, "backup_codes": ["A"]}))
    with pytest.raises(AnswerUnreadable):
        await client.two_factor.begin("New API", "alice")


async def test_the_label_of_the_authenticator_is_escaped_and_nothing_is_shown_by_a_repr(
    server: ScriptedServer, client: RemoteClient
) -> None:
    server.script("POST /api/user/2fa/setup", answer({"secret": "ABCDEFGH", "backup_codes": ["8BDA-secret"]}))
    enrolment = await client.two_factor.begin("A & B: C", "al/ice")
    assert enrolment.uri.startswith("otpauth://totp/A%20%26%20B%3A%20C:al%2Fice?secret=ABCDEFGH&issuer=A%20%26%20B")
    assert "ABCDEFGH" not in repr(enrolment)
    assert "secret" not in repr(enrolment)
