"""The rights of a System Access Token over HTTP, and the refusal of everything else."""

from datetime import datetime
from typing import Any, Final, get_args

import httpx
import pytest
from pydantic import BaseModel

from gateway.account_schemas import AccountDocument, Module, Problem, QuotaDocument, UsagePageDocument
from gateway.body_limit import MAX_BODY_BYTES
from gateway.settings_schemas import SCHEMAS
from store.errors import DatabaseBusy
from store.models import NotificationSettingsRow, PriceSettingsRow, PrivacySettingsRow, SidebarSettingsRow
from store.modules import MODULES
from store.secret_fields import StoredSecret
from store.sections import NotificationSettings, PriceSettings, PrivacySettings, SidebarSettings
from store.store import Store
from store.values.usage import Kind, UsageEntry
from tests.harness.gateway_client import client_of, make_token
from tests.harness.quota_calls import book_call, hold_quota
from tests.harness.stores import PASSWORD, StillClock, add_account, sign_in

pytestmark = pytest.mark.usefixtures("account")

READS: Final = (
    "/api/account",
    "/api/account/quota",
    "/api/account/usage",
    *(f"/api/account/settings/{section}" for section in ("notifications", "price", "privacy", "sidebar")),
)
PRICE: Final = "/api/account/settings/price"
NOTIFICATIONS: Final = "/api/account/settings/notifications"


def problem_of(answer: httpx.Response) -> Problem:
    assert answer.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate_json(answer.content)
    assert problem.status == answer.status_code
    assert problem.detail.endswith((".", "?"))
    return problem


@pytest.mark.parametrize(
    ("path", "document"),
    zip(
        READS,
        (
            AccountDocument,
            QuotaDocument,
            UsagePageDocument,
            *(schemas.document for schemas in SCHEMAS.values()),
        ),
        strict=True,
    ),
)
async def test_a_token_read_each_document(store: Store, token: str, path: str, document: type[BaseModel]) -> None:
    store.usage.record(1, UsageEntry(Kind.CONSUMPTION, "gpt", cost_micro_usd=5))
    async with client_of(store, token=token) as client:
        answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    document.model_validate_json(answer.content)


async def test_money_came_as_decimal_strings(store: Store, token: str) -> None:
    book_call(store, hold_quota(store, 1, 100), 1, UsageEntry(Kind.CONSUMPTION, "gpt"))
    async with client_of(store, token=token) as client:
        quota = (await client.get("/api/account/quota")).json()
        usage = (await client.get("/api/account/usage")).json()
    assert quota == {"remaining_usd": "4.999999", "held_usd": "0.00", "used_usd": "0.000001"}
    assert usage["entries"][0]["cost_usd"] == "0.000001"


async def test_the_usage_log_came_page_by_page(store: Store, token: str) -> None:
    for number in range(5):
        store.usage.record(1, UsageEntry(Kind.CONSUMPTION if number % 2 else Kind.ERROR, f"model-{number}"))
    async with client_of(store, token=token) as client:

        async def page(**params: str | int) -> tuple[list[str], str | None]:
            document = (await client.get("/api/account/usage", params=params)).json()
            return [entry["model"] for entry in document["entries"]], document["next_cursor"]

        models, cursor = await page(limit=3)
        assert models == ["model-4", "model-3", "model-2"]
        assert cursor is not None
        assert await page(limit=3, cursor=cursor) == (["model-1", "model-0"], None)
        assert (await page(kind="consumption"))[0] == ["model-3", "model-1"]
        assert (await page(model="model-2"))[0] == ["model-2"]
        assert await page(model="mo\u200bdel") == ([], None)
        for wrong in ({"limit": 0}, {"limit": 501}, {"cursor": "0"}, {"cursor": "x"}, {"kind": "wrong"}):
            answer = await client.get("/api/account/usage", params=wrong)
            assert answer.status_code == 422
            assert problem_of(answer).field == next(iter(wrong))


async def test_every_filter_of_the_usage_log(store: Store, token: str, clock: StillClock) -> None:
    log = store.usage
    log.record(1, UsageEntry(Kind.CONSUMPTION, "gpt", api_key_name="laptop", status="ok", cached_tokens=3))
    clock.advance(hours=1)
    log.record(1, UsageEntry(Kind.DRAWING, "pixel", api_key_name="build", images=2, image_size="1024x1024"))
    log.record(1, UsageEntry(Kind.TASK, "batch", status="in_progress", task_done=3, task_total=8))
    later = clock.now().isoformat()
    async with client_of(store, token=token) as client:

        async def models(**params: str) -> list[str]:
            document = (await client.get("/api/account/usage", params=params)).json()
            return [entry["model"] for entry in document["entries"]]

        assert await models(key="laptop") == ["gpt"]
        assert await models(status="in_progress") == ["batch"]
        assert await models(status="ok", key="build") == ["pixel"]
        assert await models(status="ok", kind="task") == []
        assert await models(since=later) == ["batch", "pixel"]
        assert await models(until=later) == ["gpt"]
        assert await models(since=later, until=later) == []
        assert await models(ip="192.0.2.1") == []
        entries = (await client.get("/api/account/usage")).json()["entries"]
        assert [(entry["task_done"], entry["task_total"]) for entry in entries] == [(3, 8), (None, None), (None, None)]
        assert [entry["images"] for entry in entries] == [0, 2, 0]
        assert (entries[1]["image_size"], entries[2]["cached_tokens"]) == ("1024x1024", 3)
        for wrong in ({"since": "2026-01-01T00:00:00"}, {"until": "yesterday"}, {"key": "k" * 65}, {"ip": "1" * 65}):
            answer = await client.get("/api/account/usage", params=wrong)
            assert (answer.status_code, problem_of(answer).field) == (422, next(iter(wrong)))


async def test_an_account_saw_only_its_own_log(store: Store, token: str) -> None:
    bob = add_account(store, "bob", email="bob@example.com")
    store.usage.record(bob.id, UsageEntry(Kind.CONSUMPTION, "secret-model"))
    async with client_of(store, token=token) as client:
        assert (await client.get("/api/account/usage")).json()["entries"] == []


# -- who is asking -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", READS)
async def test_without_a_token_there_was_only_a_challenge(store: Store, path: str) -> None:
    async with client_of(store) as client:
        answer = await client.get(path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="gatekey"'
    problem_of(answer)


def bad_headers(token: str) -> list[list[tuple[bytes, bytes]]]:
    good = b"Bearer " + token.encode()
    values = [
        b"Bearer  " + token.encode(),
        b"Bearer\t" + token.encode(),
        good + b" ",
        good + b" " + token.encode(),
        good + b"," + good,
        b"Bearer",
        b"Bearer ",
        b"",
        b"Basic " + token.encode(),
        b"Token " + token.encode(),
        token.encode(),
        b"Bearer Bearer " + token.encode(),
        b"Bearer " + b"a" * 8192,
        b"Bearer gk_" + b"a" * 8192,
        b"Bearer " + token.encode() + b"\xff",
        "Bearer ｇｋ_".encode(),
        b"Bearer \xf0\x9f\x94\x91",
        b"Bearer " + token[:-1].encode() + (b"0" if token[-1] != "0" else b"1"),
        b"Bearer " + token.swapcase().encode(),
        b"Bearer sk-" + token[3:].encode(),
    ]
    return [
        *([(b"Authorization", value)] for value in values),
        [(b"Authorization", good), (b"Authorization", good)],
        [(b"Authorization", good), (b"authorization", b"Bearer x")],
    ]


async def test_every_malformed_header_was_refused_without_a_query(
    store: Store, token: str, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_query(*_: object) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(type(store.access_token), "reading", no_query)
    async with client_of(store) as client:
        for headers in bad_headers(token):
            clock.advance(minutes=1)
            answer = await client.get("/api/account", headers=headers)
            assert answer.status_code == 401, headers
            assert 'error="invalid_token"' in answer.headers["www-authenticate"]
            assert token not in answer.text
            problem_of(answer)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
async def test_the_scheme_may_be_written_in_any_case(store: Store, token: str, scheme: str) -> None:
    async with client_of(store) as client:
        assert (await client.get("/api/account", headers={"Authorization": f"{scheme} {token}"})).status_code == 200


async def test_a_token_in_the_address_was_not_looked_at(store: Store, token: str) -> None:
    async with client_of(store) as client:
        answer = await client.get("/api/account", params={"access_token": token})
    assert answer.status_code == 401
    assert token not in answer.text


async def test_the_old_token_was_refused_from_the_rotation_on(store: Store, token: str) -> None:
    async with client_of(store) as client:
        assert (await client.get("/api/account", headers=bearer(token))).status_code == 200
        new = make_token(store)
        refused = await client.get("/api/account", headers=bearer(token))
        assert refused.status_code == 401
        assert 'error="invalid_token"' in refused.headers["www-authenticate"]
        assert (await client.get("/api/account", headers=bearer(new))).status_code == 200


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_an_api_key_opened_nothing_here(store: Store) -> None:
    key = store.api_keys.create(sign_in(store), "laptop").key
    async with client_of(store, token=key) as client:
        assert (await client.get("/api/account")).status_code == 401


@pytest.mark.parametrize("is_well_formed", [True, False])
async def test_bad_tokens_of_one_client_were_limited_and_nobody_elses(
    store: Store, token: str, clock: StillClock, *, is_well_formed: bool
) -> None:
    stranger = make_token(store, "alice") if is_well_formed else "gk_wrong"
    token = make_token(store)  # the one before is nobody's now
    async with client_of(store) as client, client_of(store, peer="198.51.100.9") as neighbour:
        statuses = [(await client.get("/api/account", headers=bearer(stranger))).status_code for _ in range(25)]
        assert statuses == [401] * 20 + [429] * 5
        answer = await client.get("/api/account", headers=bearer(stranger))
        assert 0 < int(answer.headers["retry-after"]) <= 300
        problem_of(answer)
        assert (await client.get("/api/account", headers=bearer(token))).status_code == 200
        assert (await neighbour.get("/api/account", headers=bearer(stranger))).status_code == 401
        clock.advance(minutes=5)
        assert (await client.get("/api/account", headers=bearer(stranger))).status_code == 401


async def test_bad_tokens_were_counted_for_all_processes_together(store: Store) -> None:
    stranger = make_token(store)
    make_token(store)
    async with client_of(store) as one, client_of(store) as other:
        statuses = [
            (await client.get("/api/account", headers=bearer(stranger))).status_code
            for _ in range(12)
            for client in (one, other)
        ]
    assert statuses == [401] * 20 + [429] * 4


# -- settings ----------------------------------------------------------------------------------------------------


async def test_a_section_was_saved_over_its_own_version_only(store: Store, token: str) -> None:
    async with client_of(store, token=token) as client:
        read = await client.get(PRICE)
        assert read.headers["etag"] == '"price-1"'
        change = {"accept_unpriced_models": True, "proof": {"password": PASSWORD}}
        saved = await client.put(PRICE, json=change, headers={"If-Match": '"price-1"'})
        assert saved.status_code == 200
        assert saved.headers["etag"] == '"price-2"'
        assert saved.json() == {"version": 2, "settings": {"accept_unpriced_models": True}, "overridden": []}
        stale = await client.put(PRICE, json={"accept_unpriced_models": False}, headers={"If-Match": '"price-1"'})
        assert stale.status_code == 412
        problem_of(stale)
    assert store.settings.load(sign_in(store), PriceSettings).section.accept_unpriced_models is True


@pytest.mark.parametrize(
    ("section", "switch", "value", "setting", "change"),
    [
        ("price", "price.unpriced", "forbid", "accept_unpriced_models", {"accept_unpriced_models": False}),
        ("sidebar", "sidebar.hidden_modules", "wallet,settings", "hidden_modules", {"hidden_modules": []}),
    ],
)
async def test_a_setting_that_the_site_overrode_was_named(
    store: Store, token: str, section: str, switch: str, value: str, setting: str, change: dict[str, Any]
) -> None:
    path, plain, ended = f"/api/account/settings/{section}", f'"{section}-1"', f'"{section}-1-overridden"'
    async with client_of(store, token=token) as client:
        before = await client.get(path)
        store.site.set(switch, value)
        after = await client.get(path, headers={"If-None-Match": plain})
        unchanged = await client.get(path, headers={"If-None-Match": ended})
        saved = await client.put(path, json=change, headers={"If-Match": ended})
        again = await client.put(path, json=change, headers={"If-Match": f'"{section}-2"'})
        store.site.unset(switch)
        given_way = await client.get(path)
    assert (before.json()["overridden"], before.headers["etag"]) == ([], plain)
    assert (after.json(), after.headers["etag"]) == ({**before.json(), "overridden": [setting]}, ended)
    assert unchanged.status_code == 304
    assert (saved.status_code, saved.json()["overridden"]) == (200, [setting])
    assert saved.headers["etag"] == f'"{section}-2-overridden"'
    assert again.status_code == 200
    assert (given_way.json()["overridden"], given_way.headers["etag"]) == ([], f'"{section}-3"')


async def test_settings_hidden_from_everyone_overrode_nothing(store: Store, token: str) -> None:
    """The page with the settings stays in reach, whatever the site hides."""
    store.site.set("sidebar.hidden_modules", "settings")
    async with client_of(store, token=token) as client:
        assert (await client.get("/api/account/settings/sidebar")).json()["overridden"] == []


@pytest.mark.parametrize(
    ("if_match", "status"),
    [
        (None, 428),
        ("", 428),
        ('"price-1"', 200),
        ('"price-9", "price-1"', 200),
        ("*", 200),
        ('W/"price-1"', 412),
        ('"privacy-1"', 412),
        ("price-1", 412),
        ('"1"', 412),
        ("\x01", 412),
        ('w/"price-1"', 412),
        ('garbage "price-1"', 412),
        ('"price-1" garbage', 412),
        ('"price-7" , "price-1"', 200),
    ],
)
async def test_if_match_decided(store: Store, token: str, if_match: str | None, status: int) -> None:
    headers = {} if if_match is None else {"If-Match": if_match}
    async with client_of(store, token=token) as client:
        answer = await client.put(PRICE, json={"accept_unpriced_models": False}, headers=headers)
    assert answer.status_code == status


async def test_an_unchanged_section_was_not_sent_again(store: Store, token: str) -> None:
    async with client_of(store, token=token) as client:
        for tags in ('"price-1"', 'W/"price-1"', '"price-7", "price-1"', "*"):
            answer = await client.get(PRICE, headers={"If-None-Match": tags})
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"price-1"')
        assert (await client.get(PRICE, headers={"If-None-Match": '"price-2"'})).status_code == 200


async def test_each_section_could_be_sent_back_as_it_was_read(store: Store, token: str) -> None:
    async with client_of(store, token=token) as client:
        for path in READS[3:]:
            read = await client.get(path)
            saved = await client.put(path, json=read.json()["settings"], headers={"If-Match": read.headers["etag"]})
            assert saved.status_code == 200, saved.text
            assert saved.json() == {**read.json(), "version": 2}


async def test_saving_one_section_left_the_others_alone(store: Store, token: str) -> None:
    async with client_of(store, token=token) as client:
        await client.put(
            "/api/account/settings/sidebar", json={"hidden_modules": ["wallet"]}, headers={"If-Match": "*"}
        )
        versions = [(await client.get(path)).json()["version"] for path in READS[3:]]
    assert versions == [1, 1, 1, 2]


def with_channels(store: Store) -> None:
    session = sign_in(store)
    saved = store.settings.load(session, NotificationSettings)
    section = NotificationSettings(
        email_address="alice@work.example",
        webhook_on=True,
        webhook_url="https://hooks.example/alice",
        webhook_secret=StoredSecret(new="whsec_" + "A" * 32),
        bark_on=True,
        bark_url=StoredSecret(new="https://api.day.app/SecretDeviceKey"),
        bark_encryption_key=StoredSecret(new="0123456789abcdef"),
        gotify_on=True,
        gotify_url="https://gotify.example",
        gotify_token=StoredSecret(new="SecretGotifyToken"),
    )
    store.settings.save(session, section, saved.version)


async def test_a_token_alone_raised_what_warns_but_never_moved_or_weakened_it(store: Store, token: str) -> None:
    with_channels(store)
    async with client_of(store, token=token) as client:
        read = (await client.get(NOTIFICATIONS)).json()
        assert read["secrets"] == {
            "webhook_secret": {"is_set": True, "hint": "…AAAA"},
            "bark_url": {"is_set": True, "hint": "https://api.day.app/…"},
            "bark_encryption_key": {"is_set": True, "hint": "…"},
            "gotify_token": {"is_set": True, "hint": "…oken"},
        }
        settings = read["settings"]
        for field, value in (
            ("email_address", "mallory@example.com"),
            ("email_address", ""),
            ("webhook_url", "https://mallory.example"),
            ("gotify_url", "https://mallory.example"),
        ):
            moved = await client.put(NOTIFICATIONS, json={**settings, field: value}, headers={"If-Match": "*"})
            assert moved.status_code == 403, field
            assert 'error="insufficient_scope"' in moved.headers["www-authenticate"]
            problem_of(moved)
        for field in ("webhook_secret", "bark_url", "bark_encryption_key", "gotify_token"):
            set_secret = await client.put(NOTIFICATIONS, json={**settings, field: "x"}, headers={"If-Match": "*"})
            assert set_secret.status_code == 422
        switched = await client.put(
            NOTIFICATIONS,
            json={**settings, "threshold_usd": "2.5", "gotify_priority": 9},
            headers={"If-Match": '"notifications-2"'},
        )
        assert switched.status_code == 200
        settings = switched.json()["settings"]
        weaker: dict[str, Any] = {"webhook_on": False, "threshold_usd": "2.4", "gotify_priority": 8, "email_on": False}
        for field, value in weaker.items():
            body = {**settings, field: value}
            refused = await client.put(NOTIFICATIONS, json=body, headers={"If-Match": '"notifications-3"'})
            assert refused.status_code == 403, field
            assert problem_of(refused).field == "proof"
        body = {**settings, **weaker, "proof": {"password": PASSWORD}}
        proved = await client.put(NOTIFICATIONS, json=body, headers={"If-Match": '"notifications-3"'})
        assert proved.status_code == 200
        back = await client.put(NOTIFICATIONS, json=settings, headers={"If-Match": '"notifications-4"'})
        assert back.status_code == 200
    section = store.settings.load(sign_in(store), NotificationSettings).section
    assert (section.webhook_on, section.threshold_micro_usd, section.gotify_priority) == (True, 2_500_000, 9)
    assert (section.webhook_url, section.bark_url.is_set) == ("https://hooks.example/alice", True)


@pytest.mark.parametrize(
    "change",
    [
        {"threshold_usd": 1},
        {"threshold_usd": 1.0},
        {"threshold_usd": "-1"},
        {"threshold_usd": "1e3"},
        {"threshold_usd": "1.0000001"},
        {"threshold_usd": "1000000001"},
        {"threshold_usd": "١"},
        {"threshold_usd": None},
        {"email_on": "true"},
        {"email_on": 1},
        {"gotify_priority": 11},
        {"gotify_priority": -1},
        {"gotify_priority": 5.5},
        {"gotify_priority": True},
        {"webhook_on": True},
        {"unknown": 1},
        {"bark_on": True},
    ],
)
async def test_a_field_that_did_not_fit_was_named(store: Store, token: str, change: dict[str, Any]) -> None:
    async with client_of(store, token=token) as client:
        settings = (await client.get(NOTIFICATIONS)).json()["settings"]
        answer = await client.put(NOTIFICATIONS, json={**settings, **change}, headers={"If-Match": "*"})
        after = (await client.get(NOTIFICATIONS)).json()
    assert answer.status_code == 422
    problem_of(answer)
    assert after == {**after, "version": 1, "settings": settings}


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({}, b"{}", 415),
        ({"Content-Type": "text/plain"}, b"{}", 415),
        ({"Content-Type": "application/jsonp"}, b"{}", 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, b"{}", 415),
        ({"Content-Type": "application/json"}, b"", 422),
        ({"Content-Type": "application/json"}, b"\xff\xfe", 422),
        ({"Content-Type": "application/json"}, b"[" * 10_000, 422),
        ({"Content-Type": "application/json"}, b"[]", 422),
        ({"Content-Type": "application/json"}, b'{"accept_unpriced_models": NaN}', 422),
        ({"Content-Type": "application/json"}, b'{"accept_unpriced_models": true', 422),
        ({"Content-Type": "application/json; charset=utf-8"}, b'{"accept_unpriced_models": false}', 200),
        ({"Content-Type": "application/json"}, b" " * (MAX_BODY_BYTES + 1), 413),
    ],
)
async def test_a_body_of_another_kind_was_refused(
    store: Store, token: str, headers: dict[str, str], content: bytes, status: int
) -> None:
    async with client_of(store, token=token) as client:
        answer = await client.put(PRICE, content=content, headers={"If-Match": "*", **headers})
    assert answer.status_code == status
    if status != 200:
        problem_of(answer)


async def test_a_long_body_without_a_length_was_cut_off(store: Store, token: str) -> None:
    taken = 0

    async def endless() -> Any:
        nonlocal taken
        while True:
            taken += 1
            yield b" " * 1024

    headers = {"If-Match": "*", "Content-Type": "application/json"}
    async with client_of(store, token=token) as client:
        answer = await client.put(PRICE, content=endless(), headers=headers)
    assert answer.status_code == 413
    assert taken <= MAX_BODY_BYTES // 1024 + 2


async def test_nothing_that_was_sent_came_back(store: Store, token: str) -> None:
    planted = "hunter2-planted-secret"
    async with client_of(store, token=token) as client:
        answers = [
            await client.put(PRICE, json={planted: planted}, headers={"If-Match": "*"}),
            await client.put(PRICE, json={"accept_unpriced_models": planted}, headers={"If-Match": "*"}),
            await client.put(PRICE, json=planted, headers={"If-Match": planted}),
            await client.put(
                PRICE,
                json={"accept_unpriced_models": True, "proof": {"password": planted}},
                headers={"If-Match": "*"},
            ),
            await client.get("/api/account/usage", params={"limit": planted}),
            await client.get("/api/account/usage", params={"kind": planted}),
            await client.get(f"/api/{planted}"),
            await client.get("/api/account", headers={"Authorization": f"Bearer {planted}"}),
        ]
    for answer in answers:
        assert answer.status_code >= 400
        assert planted not in answer.text + str(answer.headers)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/api//accounts", 404),
        ("POST", "/api/account", 405),
        ("DELETE", "/api/account", 405),
        ("PATCH", PRICE, 405),
        ("TRACE", "/healthz", 405),
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/chat/completions", 405),
    ],
)
async def test_other_addresses_and_methods_were_told_apart(
    store: Store, token: str, method: str, path: str, status: int
) -> None:
    async with client_of(store, token=token) as client:
        answer = await client.request(method, path)
    assert answer.status_code == status
    assert (status == 405) is ("allow" in answer.headers)
    if path.startswith("/v1"):
        assert answer.json()["error"]["message"].endswith(".")
    else:
        problem_of(answer)


async def test_a_database_in_trouble_was_a_503_and_told_nothing_of_itself(
    store: Store, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise DatabaseBusy("/srv/private/gatekey.sqlite3 is locked")

    async with client_of(store, token=token) as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        monkeypatch.setattr(type(store.database), "read", busy)
        for path in ("/healthz", *READS):
            answer = await client.get(path)
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "1"
            assert "private" not in answer.text
            problem_of(answer)


async def test_a_mistake_of_ours_was_a_500_with_a_sentence(
    store: Store, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret-in-a-traceback")

    monkeypatch.setattr(type(store.quota), "state_of", broken)
    async with client_of(store, token=token) as client:
        answer = await client.get("/api/account/quota")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    problem_of(answer)


def test_the_documents_hold_every_module_and_every_plain_field() -> None:
    assert get_args(Module) == MODULES
    for kind, row in (
        (NotificationSettings, NotificationSettingsRow),
        (PriceSettings, PriceSettingsRow),
        (PrivacySettings, PrivacySettingsRow),
        (SidebarSettings, SidebarSettingsRow),
    ):
        columns = {column.name for column in row.c}
        secrets = {column for column in columns if column.endswith("_sealed")}
        fields = {name.replace("threshold_usd", "threshold_micro_usd") for name in SCHEMAS[kind].settings.model_fields}
        assert fields == columns - secrets - {"account_id", "version"}
    secrets_model = SCHEMAS[NotificationSettings].document.model_json_schema()["$defs"]["NotificationSecrets"]
    assert set(secrets_model["properties"]) == {
        "webhook_secret",
        "bark_url",
        "bark_encryption_key",
        "gotify_token",
    }


async def test_times_were_aware(store: Store, token: str) -> None:
    async with client_of(store, token=token) as client:
        account = (await client.get("/api/account")).json()
    assert datetime.fromisoformat(account["created_at"]).tzinfo is not None
