"""The System Access Token, which asking for makes anew."""

import httpx
import pytest

from remote.sessions import TokenSession
from store.errors import AnswerLost, AnswerUnreadable, GatekeyError, NotOnThisServer
from tests.harness.scripted_server import SELF, Waits, answer, aug_server, refusal, signed_in

ROUTE = "GET /api/user/token"


async def test_a_session_that_is_a_token_goes_on_with_the_new_one() -> None:
    server = aug_server()
    client = await signed_in(server, with_token=True)
    server.script(ROUTE, answer("new/token+secret="))
    made = await client.access_tokens.rotate()
    assert (made.token, made.info.last_four) == ("new/token+secret=", "ret=")
    assert "secret" not in repr(made)
    assert client._keeper.credential == TokenSession("new/token+secret=", 2)


async def test_it_is_asked_for_once_although_it_is_a_get() -> None:
    server, waits = aug_server(), Waits()
    client = await signed_in(server, waits=waits)
    server.script(ROUTE, httpx.ReadError("x"), answer("another-token"))
    with pytest.raises(AnswerLost, match="refused already"):
        await client.access_tokens.rotate()
    assert len(server.asked(ROUTE)) == 1
    assert waits.told == []


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (answer(""), AnswerUnreadable),
        (answer({"token": "x"}), AnswerUnreadable),
        (answer("two words"), AnswerUnreadable),
        (refusal(), NotOnThisServer),
    ],
)
async def test_what_is_no_token_is_not_used(given: httpx.Response, kind: type[GatekeyError]) -> None:
    server = aug_server()
    client = await signed_in(server, with_token=True)
    server.script("GET /api/user/self", answer(SELF))
    server.script(ROUTE, given)
    with pytest.raises(kind):
        await client.access_tokens.rotate()
    assert client._keeper.credential == TokenSession("token-secret", 2)
