"""The rules of a password that the server does not tell."""

import json

import pytest

from remote.client import RemoteClient
from store.errors import (
    GatekeyError,
    NotOnThisServer,
    PasswordRefused,
    PasswordsDoNotMatch,
    PasswordTooLong,
    PasswordTooShort,
    SameAsOldPassword,
    WrongOriginalPassword,
)
from tests.harness.scripted_server import (
    PASSWORD,
    ScriptedServer,
    answer,
    aug_server,
    bundle,
    feb_server,
    refusal,
    signed_in,
)

ROUTE = "PUT /api/user/self"


@pytest.mark.parametrize(
    ("new", "confirmation", "kind", "field"),
    [
        ("short", "short", PasswordTooShort, "new-password"),
        ("a-password-of-21-chars", "a-password-of-21-chars", PasswordTooLong, "new-password"),
        ("$I_LOVE_U", "$I_LOVE_U", PasswordRefused, "new-password"),
        (PASSWORD, PASSWORD, SameAsOldPassword, "new-password"),
        ("N3w-pass-word", "other", PasswordsDoNotMatch, "confirmation"),
    ],
)
async def test_a_password_that_cannot_be_is_not_sent(
    new: str, confirmation: str, kind: type[GatekeyError], field: str
) -> None:
    server = feb_server()
    client = await signed_in(server)
    with pytest.raises(GatekeyError) as caught:
        await client.passwords.change(PASSWORD, new, confirmation)
    assert type(caught.value) is kind
    assert caught.value.field == field
    assert all(request.method != "PUT" for request in server.seen)


async def test_a_refusal_is_a_wrong_original() -> None:
    server = feb_server()
    client = await signed_in(server)
    server.script(ROUTE, refusal())
    with pytest.raises(WrongOriginalPassword):
        await client.passwords.change("wrong-secret", "N3w-pass-word", "N3w-pass-word")
    assert json.loads(server.asked(ROUTE)[0].content) == {
        "password": "N3w-pass-word",
        "original_password": "wrong-secret",
    }


async def test_the_session_that_comes_with_it_is_used_from_then_on(
    server: ScriptedServer, client: RemoteClient
) -> None:
    changed = bundle(7, with_user=False)
    changed.headers.pop("set-cookie")
    server.script(ROUTE, changed)
    await client.passwords.change(PASSWORD, "N3w-pass-word", "N3w-pass-word")
    await client.account()
    assert server.seen[-1].headers["authorization"] == "Bearer eyJ-access-secret-7"
    assert client._keeper.credential.refresh_cookie == "sid-1.refresh-secret-1"  # type: ignore[union-attr]


async def test_a_token_cannot_change_it_where_the_server_says_so() -> None:
    server = aug_server()
    client = await signed_in(server, with_token=True)
    with pytest.raises(NotOnThisServer, match="sign-in with a password"):
        await client.passwords.change(PASSWORD, "N3w-pass-word", "N3w-pass-word")
    server = feb_server()
    client = await signed_in(server, with_token=True)
    server.script(ROUTE, answer())
    await client.passwords.change(PASSWORD, "N3w-pass-word", "N3w-pass-word")
