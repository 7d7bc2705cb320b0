"""Changes a token alone may not make: they need a proof in the request, throttled and recorded like any."""

import asyncio
import threading
from typing import Any, Final

import httpx
import pyotp
import pytest

from store.audit_tags import Tag
from store.sections import NotificationSettings, PriceSettings
from store.store import Store
from store.throttle import FREE_FAILURES
from store.token_proofs import Proof
from tests.harness.gateway_client import client_of, make_token
from tests.harness.people import enrol
from tests.harness.stores import PASSWORD, StillClock, sign_in

pytestmark = pytest.mark.usefixtures("account")

PRICE: Final = "/api/account/settings/price"
NOTIFICATIONS: Final = "/api/account/settings/notifications"
GIVEN_UP: Final = {"accept_unpriced_models": True}
ANY: Final = {"If-Match": "*"}


def accepts(store: Store) -> bool:
    return store.settings.load_for(1, PriceSettings).section.accept_unpriced_models


async def put(client: httpx.AsyncClient, proof: Any = None, body: dict[str, Any] = GIVEN_UP) -> httpx.Response:
    return await client.put(PRICE, json=body if proof is None else {**body, "proof": proof}, headers=ANY)


async def test_a_token_alone_was_told_what_is_needed(store: Store) -> None:
    async with client_of(store, token=make_token(store)) as client:
        refused = await put(client)
    assert refused.status_code == 403
    assert refused.json() == {
        "title": "Confirm it is you",
        "status": 403,
        "detail": "Confirm your identity to accept models without price settings. Send proof with the request: your "
        "password, or the code that your authenticator app shows.",
        "field": "proof",
    }
    assert not accepts(store)


async def test_a_password_opened_one_request_and_back_to_safe_needed_none(store: Store) -> None:
    token = make_token(store)
    async with client_of(store, token=token) as client:
        assert (await put(client, {"password": PASSWORD})).json()["settings"] == GIVEN_UP
        assert accepts(store)
        assert (await put(client, body={"accept_unpriced_models": False})).status_code == 200
        assert (await put(client)).status_code == 403
    with store.database.read() as tx:
        events = [event for event in store.audit.page(tx, 1) if event.tag == Tag.PROVED]
    assert [(event.source, event.detail) for event in events] == [("System Access Token", {"method": "password"})]


async def test_a_code_of_the_authenticator_opened_one_request(store: Store, clock: StillClock) -> None:
    session = sign_in(store)
    secret = pyotp.TOTP(enrol(store, clock, session).secret)
    token = store.access_token.generate(session).token
    clock.advance(seconds=30)
    async with client_of(store, token=token) as client:
        code = secret.at(clock.now())
        assert (await put(client, {"code": code})).status_code == 200
        await put(client, body={"accept_unpriced_models": False})
        again = await put(client, {"code": code})
    assert (again.status_code, again.json()["detail"]) == (403, "This code was used before. Wait for the next one.")
    assert not accepts(store)


@pytest.mark.parametrize(
    ("proof", "status"),
    [
        ({}, 422),
        ({"password": PASSWORD, "code": "123456"}, 422),
        ({"code": "12345"}, 422),
        ({"code": "123456"}, 403),
        ({"password": PASSWORD, "more": 1}, 422),
        ("hunter2", 422),
    ],
)
async def test_what_is_no_proof_was_refused(store: Store, proof: Any, status: int) -> None:
    async with client_of(store, token=make_token(store)) as client:
        assert (await put(client, proof)).status_code == status
    assert not accepts(store)


async def test_guesses_had_the_tries_that_sign_in_has(store: Store) -> None:
    async with client_of(store, token=make_token(store)) as client:
        answers = [await put(client, {"password": f"guess {number}"}) for number in range(FREE_FAILURES)]
        assert {(answer.status_code, answer.json()["detail"]) for answer in answers} == {
            (403, "The password does not match the current one.")
        }
        locked = await put(client, {"password": PASSWORD})
    assert (locked.status_code, locked.headers["retry-after"]) == (429, "60")
    assert not accepts(store)


async def test_a_save_beyond_the_limit_had_no_password_checked(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.site.set("limits.requests_per_minute_per_account", "1")
    async with client_of(store, token=make_token(store)) as client:
        answers = [await client.get(PRICE) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
        checked: list[str] = []
        monkeypatch.setattr(store.proofs, "with_password", lambda _, password: checked.append(password))
        refused = await put(client, {"password": PASSWORD})
    assert (refused.status_code, checked) == (429, [])


async def test_passwords_were_checked_two_at_a_time_over_all_sections_and_kept_nobody_else(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = asyncio.Queue[None](), threading.Event()
    loop, real = asyncio.get_running_loop(), store.proofs.with_password

    def slow(token: str, password: str) -> Proof:
        loop.call_soon_threadsafe(begun.put_nowait, None)
        go_on.wait()
        return real(token, password)

    monkeypatch.setattr(store.proofs, "with_password", slow)
    async with client_of(store, token=make_token(store)) as client:
        settings = (await client.get(NOTIFICATIONS)).json()["settings"]
        proof = {"password": PASSWORD}
        try:
            saves = [asyncio.create_task(put(client, proof)) for _ in range(2)]
            saves += [
                asyncio.create_task(client.put(NOTIFICATIONS, json={**settings, "proof": proof}, headers=ANY))
                for _ in range(2)
            ]
            for _ in range(2):
                await begun.get()
            # Saves without a proof, and reads, go past those that wait.
            assert (await client.put(NOTIFICATIONS, json=settings, headers=ANY)).status_code == 200
            assert (await client.get(PRICE)).status_code == 200
            assert begun.empty()
        finally:
            go_on.set()
        assert [(await save).status_code for save in saves] == [200] * 4


async def test_a_proof_let_a_token_say_where_warnings_go_and_silence_them(store: Store) -> None:
    async with client_of(store, token=make_token(store)) as client:
        settings = (await client.get(NOTIFICATIONS)).json()["settings"]
        for change in ({"email_address": "else@example.com"}, {"threshold_usd": "0"}, {"email_on": False}):
            body = {**settings, **change}
            assert (await client.put(NOTIFICATIONS, json=body, headers=ANY)).status_code == 403, change
            body["proof"] = {"password": PASSWORD}
            assert (await client.put(NOTIFICATIONS, json=body, headers=ANY)).status_code == 200, change
            assert (await client.put(NOTIFICATIONS, json=settings, headers=ANY)).status_code in (200, 403)
    assert store.settings.load_for(1, NotificationSettings).section is not None
