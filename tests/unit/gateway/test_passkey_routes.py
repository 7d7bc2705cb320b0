"""The passkey page over HTTP: the gateway's application, a real store, and an authenticator of the suite's own."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.app import create_app
from gateway.pages import FINISH_PATH, OPTIONS_PATH, PAGE_HEADERS, PAGE_PATH, assets
from store.audit_tags import Tag
from store.errors import PasskeyRefused, SignInExpired
from store.store import Store
from store.throttle import ATTEMPTS_PER_SOURCE
from store.values.passkeys import CeremonyStarted, CeremonyState
from store.values.sign_in import SignedIn
from tests.fakes.soft_authenticator import SoftAuthenticator
from tests.harness.stores import SOURCE, StillClock, add_account, make_store, sign_in

RP_ID: Final = "gateway.example"
ORIGIN: Final = "https://gateway.example"
OFF: Final = "Administrator has not enabled Passkey login"

Answer = dict[str, Any]


class PasskeyGateway:
    """A gateway that has passkeys on, the accounts alice and mallory, and a device of alice's."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.store: Store = make_store(clock=self.clock)
        for name, value in (("enabled", "true"), ("rp_id", RP_ID), ("origin", ORIGIN)):
            self.store.site.set(f"passkeys.{name}", value)
        for name in ("alice", "mallory"):
            add_account(self.store, name, email=f"{name}@example.com")
        self.token = sign_in(self.store)
        self.device = SoftAuthenticator(ORIGIN)
        self.app = create_app(self.store)
        self.peers = 0
        self.statuses: list[int] = []

    async def post(
        self, path: str, body: object, *, peer: str = "", headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send `body`, as it is if it is bytes, from an address of its own unless one is named."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.send("POST", path, content=content, peer=peer, headers=headers)

    async def send(self, method: str, path: str, *, peer: str = "", **request: Any) -> httpx.Response:
        self.peers += 1
        address = peer or f"203.0.{self.peers // 250}.{1 + self.peers % 250}"
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 50000))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            response = await client.request(method, path, **request)
        self.statuses.append(response.status_code)
        return response

    async def options(self, code: str, **request: Any) -> Answer:
        response = await self.post(OPTIONS_PATH, {"code": code}, **request)
        assert response.status_code == 200, response.text
        answer: Answer = response.json()
        return answer

    async def finish(self, code: str, credential: object, **request: Any) -> httpx.Response:
        return await self.post(FINISH_PATH, {"code": code, "credential": credential}, **request)

    async def register(
        self, label: str = "laptop", name: str = "alice", device: SoftAuthenticator | None = None
    ) -> None:
        token = self.token if name == "alice" else sign_in(self.store, name)
        started = self.store.ceremonies.begin_registration(token, label)
        options = await self.options(started.code)
        response = await self.finish(started.code, (device or self.device).create(options["publicKey"]))
        assert response.json()["ok"] is True, response.text

    def begin(self) -> CeremonyStarted:
        self.peers += 1
        return self.store.ceremonies.begin_sign_in(source=f"pts/{self.peers}")

    async def answered(self, **faults: Any) -> tuple[CeremonyStarted, Answer]:
        """A sign-in, and the device's answer to it."""
        started = self.begin()
        options = await self.options(started.code)
        return started, self.device.get(options["publicKey"], **faults)

    def labels(self) -> list[str]:
        return [info.label for info in self.store.passkeys.list(self.token)]

    def tags(self, name: str = "alice") -> list[str]:
        with self.store.sessions.reading(sign_in(self.store, name)) as (tx, acting):
            return [str(event.tag) for event in self.store.audit.page(tx, acting.account_id)]

    def is_signed_in(self, started: CeremonyStarted) -> bool:
        try:
            self.store.ceremonies.collect_sign_in(started.ticket, source=SOURCE)
        except SignInExpired:
            return False
        return True


@asynccontextmanager
async def opened() -> AsyncIterator[PasskeyGateway]:
    gateway = PasskeyGateway()
    async with gateway.app.router.lifespan_context(gateway.app):
        yield gateway
    gateway.store.close()
    assert [status for status in gateway.statuses if status >= 500] == []


@pytest.fixture
async def gateway() -> AsyncIterator[PasskeyGateway]:
    async with opened() as found:
        yield found


def refusal(response: httpx.Response) -> str:
    """The sentence of a refusal, once its form has been checked."""
    assert response.status_code >= 400, response.text
    error = response.json()["error"]
    assert error["title"]
    return str(error["sentence"])


async def test_a_passkey_is_registered_signs_in_and_proves(gateway: PasskeyGateway) -> None:
    started = gateway.store.ceremonies.begin_registration(gateway.token, "laptop")
    options = await gateway.options(started.code.lower().replace("-", " "))
    assert options["purpose"] == "register"
    assert options["user"] == "alice"
    assert options["expires_in"] == 120
    assert options["publicKey"]["rp"]["id"] == RP_ID
    assert options["publicKey"]["authenticatorSelection"]["userVerification"] == "required"
    response = await gateway.finish(started.code, gateway.device.create(options["publicKey"]))
    assert response.json() == {"ok": True, "sentence": "Your passkey was registered. Go back to the console."}
    assert gateway.store.ceremonies.outcome(started.ticket) is CeremonyState.DONE
    assert gateway.labels() == ["laptop"]

    signing, answer = await gateway.answered()
    assert (await gateway.finish(signing.code, answer)).json()["ok"] is True
    opened_now = gateway.store.ceremonies.collect_sign_in(signing.ticket, source=SOURCE)
    assert isinstance(opened_now, SignedIn)
    assert opened_now.name == "alice"

    gateway.token = opened_now.token
    gateway.clock.advance(minutes=4)
    gateway.store.sessions.whoami(gateway.token)
    proving = gateway.store.ceremonies.begin_proof(gateway.token)
    asked = await gateway.options(proving.code)
    assert asked["user"] == "alice"
    assert len(asked["publicKey"]["allowCredentials"]) == 1
    gateway.clock.advance(minutes=1, seconds=30)
    assert (await gateway.finish(proving.code, gateway.device.get(asked["publicKey"]))).json()["ok"] is True
    gateway.store.ceremonies.begin_registration(gateway.token, "needs a fresh proof")


async def test_a_sign_in_names_nobody(gateway: PasskeyGateway) -> None:
    await gateway.register()
    options = await gateway.options(gateway.begin().code)
    assert options["user"] == ""
    assert options["publicKey"].get("allowCredentials", []) == []


async def test_every_route_refuses_while_the_administrator_has_passkeys_off(gateway: PasskeyGateway) -> None:
    waiting = gateway.begin()
    gateway.store.site.set("passkeys.enabled", "false")
    for path in assets():
        response = await gateway.send("GET", path)
        assert (response.status_code, response.text) == (403, OFF)
    for path in (OPTIONS_PATH, FINISH_PATH):
        response = await gateway.post(path, {"code": waiting.code, "credential": {}})
        assert (response.status_code, refusal(response)) == (403, OFF)
    gateway.store.site.set("passkeys.enabled", "true")
    await gateway.options(waiting.code)


async def test_passkeys_switched_off_under_way_stop_the_answer(gateway: PasskeyGateway) -> None:
    await gateway.register()
    started, answer = await gateway.answered()
    gateway.store.site.set("passkeys.enabled", "false")
    assert refusal(await gateway.finish(started.code, answer)) == OFF
    gateway.store.site.set("passkeys.enabled", "true")
    assert gateway.store.ceremonies.outcome(started.ticket) is CeremonyState.WAITING


async def test_a_page_without_a_configured_place_is_a_sentence(gateway: PasskeyGateway) -> None:
    gateway.store.site.unset("passkeys.origin")
    assert "not configured" in refusal(await gateway.post(OPTIONS_PATH, {"code": gateway.begin().code}))


async def test_headers_are_on_the_page_its_files_and_every_answer(gateway: PasskeyGateway) -> None:
    code = gateway.begin().code
    answers = [await gateway.send("GET", path) for path in assets()]
    assert {answer.status_code for answer in answers} == {200}
    assert (await gateway.send("GET", PAGE_PATH)).text.startswith("<!doctype html>")
    answers.append(await gateway.post(OPTIONS_PATH, {"code": code}))
    answers.append(await gateway.post(OPTIONS_PATH, {"code": "nobody's"}))
    answers.append(await gateway.post(FINISH_PATH, b"no JSON"))
    answers.append(await gateway.finish(code, {}))
    gateway.store.site.set("passkeys.enabled", "false")
    answers += [await gateway.send("GET", path) for path in assets()]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in PAGE_HEADERS} == dict(PAGE_HEADERS), answer.url
    policy = PAGE_HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


# -- what is refused -------------------------------------------------------------------------------------------


Answered = tuple[CeremonyStarted, httpx.Response]


def _sign_in_with(**faults: Any) -> Callable[[PasskeyGateway], Awaitable[Answered]]:
    async def fault(gateway: PasskeyGateway) -> Answered:
        started, answer = await gateway.answered(**faults)
        return started, await gateway.finish(started.code, answer)

    return fault


async def _replayed(gateway: PasskeyGateway) -> Answered:
    first, answer = await gateway.answered()
    assert (await gateway.finish(first.code, answer)).status_code == 200
    assert refusal(await gateway.finish(first.code, answer))
    again = gateway.begin()
    return again, await gateway.finish(again.code, answer)


async def _late(gateway: PasskeyGateway) -> Answered:
    started, answer = await gateway.answered()
    gateway.clock.advance(seconds=120)
    return started, await gateway.finish(started.code, answer)


async def _registration_for_a_sign_in(gateway: PasskeyGateway) -> Answered:
    registering = gateway.store.ceremonies.begin_registration(gateway.token, "other")
    creation = SoftAuthenticator(ORIGIN).create((await gateway.options(registering.code))["publicKey"])
    started = gateway.begin()
    return started, await gateway.finish(started.code, creation)


async def _sign_in_for_a_registration(gateway: PasskeyGateway) -> Answered:
    _, answer = await gateway.answered()
    registering = gateway.store.ceremonies.begin_registration(gateway.token, "other")
    return registering, await gateway.finish(registering.code, answer)


async def _answer_to_another_session(gateway: PasskeyGateway) -> Answered:
    _, answer = await gateway.answered()
    mine = gateway.begin()
    return mine, await gateway.finish(mine.code, answer)


async def _session_that_ended(gateway: PasskeyGateway) -> Answered:
    token = sign_in(gateway.store, source="pts/7")
    registering = gateway.store.ceremonies.begin_registration(token, "other")
    creation = SoftAuthenticator(ORIGIN).create((await gateway.options(registering.code))["publicKey"])
    gateway.store.sessions.end(token)
    return registering, await gateway.finish(registering.code, creation)


async def _page_of_another_origin(gateway: PasskeyGateway) -> Answered:
    started, answer = await gateway.answered()
    return started, await gateway.finish(started.code, answer, headers={"Origin": "https://evil.example"})


async def _proof_with_another_account(gateway: PasskeyGateway) -> Answered:
    theirs = SoftAuthenticator(ORIGIN)
    await gateway.register("theirs", "mallory", theirs)
    proving = gateway.store.ceremonies.begin_proof(gateway.token)
    answer = theirs.get((await gateway.options(proving.code))["publicKey"])
    return proving, await gateway.finish(proving.code, answer)


async def _copied(gateway: PasskeyGateway) -> Answered:
    for _ in range(2):
        first, answer = await gateway.answered()
        assert (await gateway.finish(first.code, answer)).status_code == 200
    started, answer = await gateway.answered(counter=1)
    return started, await gateway.finish(started.code, answer)


TABLE: Final = {
    "forged": _sign_in_with(signer=ec.generate_private_key(ec.SECP256R1())),
    "replayed": _replayed,
    "late": _late,
    "a registration for a sign-in": _registration_for_a_sign_in,
    "a sign-in for a registration": _sign_in_for_a_registration,
    "an answer to another session": _answer_to_another_session,
    "a session that ended": _session_that_ended,
    "a page of another origin": _page_of_another_origin,
    "signed for another origin": _sign_in_with(origin="https://a.gateway.example"),
    "a proof with another account's passkey": _proof_with_another_account,
    "user not verified": _sign_in_with(user_verified=False),
    "copied": _copied,
}


async def test_the_table_of_refusals() -> None:
    refused = 0
    for name, fault in TABLE.items():
        async with opened() as gateway:
            await gateway.register()
            started, response = await fault(gateway)
            assert response.status_code in (401, 403), (name, response.text)
            assert refusal(response), name
            assert gateway.labels() == ["laptop"], name
            assert not gateway.is_signed_in(started), name
            refused += 1
    print(f"BAR F2 over HTTP, answers refused: {refused}/{len(TABLE)}")
    assert refused == len(TABLE) == 12


@pytest.mark.parametrize("name", ["forged", "signed for another origin", "user not verified", "copied"])
async def test_the_waiting_console_is_told_the_same_sentence(name: str, gateway: PasskeyGateway) -> None:
    await gateway.register()
    started, response = await TABLE[name](gateway)
    with pytest.raises(PasskeyRefused) as told:
        gateway.store.ceremonies.outcome(started.ticket)
    assert str(told.value) == refusal(response)


async def test_a_copied_passkey_is_flagged_and_noted_and_signs_nobody_in_again(gateway: PasskeyGateway) -> None:
    await gateway.register()
    _, response = await _copied(gateway)
    assert "copied" in refusal(response)
    assert [info.flagged_at is not None for info in gateway.store.passkeys.list(gateway.token)] == [True]
    assert gateway.tags().count(Tag.PASSKEY_CLONED) == 1
    started, answer = await gateway.answered(counter=99)
    assert refusal(await gateway.finish(started.code, answer)) == PasskeyRefused.sentence
    assert not gateway.is_signed_in(started)


async def test_another_account_s_passkey_proves_nothing_and_stays_as_it_was(gateway: PasskeyGateway) -> None:
    await gateway.register()
    proving, response = await _proof_with_another_account(gateway)
    assert "another account" in refusal(response)
    with pytest.raises(PasskeyRefused):
        gateway.store.ceremonies.outcome(proving.ticket)
    assert Tag.PROVED not in gateway.tags()


async def test_the_passkeys_an_account_has_are_excluded_from_the_next(gateway: PasskeyGateway) -> None:
    first = gateway.store.ceremonies.begin_registration(gateway.token, "phone")
    assert (await gateway.options(first.code))["publicKey"].get("excludeCredentials", []) == []
    await gateway.register()
    again = gateway.store.ceremonies.begin_registration(gateway.token, "laptop 2")
    excluded = (await gateway.options(again.code))["publicKey"]["excludeCredentials"]
    assert len(excluded) == 1


# -- how often one may try --------------------------------------------------------------------------------------


async def test_wrong_codes_are_throttled_and_a_right_one_is_not_told_apart_then(gateway: PasskeyGateway) -> None:
    right = gateway.begin().code
    for number in range(ATTEMPTS_PER_SOURCE):
        response = await gateway.post(OPTIONS_PATH, {"code": f"BBBB-BBB{number}"}, peer="198.51.100.1")
        assert response.status_code == 401
        assert "not known or has expired" in refusal(response)
    for code in ("BBBB-BBBB", right):
        response = await gateway.post(OPTIONS_PATH, {"code": code}, peer="198.51.100.1")
        assert response.status_code == 429
        assert int(response.headers["Retry-After"]) > 0
    assert (await gateway.finish(right, {}, peer="198.51.100.1")).status_code == 429
    await gateway.options(right)  # from another address
    gateway.clock.advance(minutes=5)
    response = await gateway.post(OPTIONS_PATH, {"code": "BBBB-BBBB"}, peer="198.51.100.1")
    assert response.status_code == 401


async def test_refused_answers_are_charged_like_wrong_codes(gateway: PasskeyGateway) -> None:
    await gateway.register()
    for _ in range(ATTEMPTS_PER_SOURCE):
        started = gateway.begin()
        assert (await gateway.finish(started.code, {}, peer="198.51.100.2")).status_code == 401
    response = await gateway.finish(gateway.begin().code, {}, peer="198.51.100.2")
    assert response.status_code == 429


async def test_right_codes_cost_nothing_and_wash_nothing_off(gateway: PasskeyGateway) -> None:
    right = gateway.begin().code
    for number in range(ATTEMPTS_PER_SOURCE):
        for _ in range(3):
            await gateway.options(right, peer="198.51.100.3")
        response = await gateway.post(OPTIONS_PATH, {"code": f"CCCC-CCC{number}"}, peer="198.51.100.3")
        assert response.status_code == 401
    response = await gateway.post(OPTIONS_PATH, {"code": right}, peer="198.51.100.3")
    assert response.status_code == 429


async def test_forwarded_headers_of_a_stranger_do_not_make_a_new_address(gateway: PasskeyGateway) -> None:
    statuses = []
    for number in range(ATTEMPTS_PER_SOURCE + 1):
        headers = {"X-Forwarded-For": f"192.0.2.{number}"}
        sent = await gateway.post(OPTIONS_PATH, {"code": "no"}, peer="198.51.100.4", headers=headers)
        statuses.append(sent.status_code)
    assert statuses == [401] * ATTEMPTS_PER_SOURCE + [429]


# -- what is no request at all ----------------------------------------------------------------------------------

NOT_REQUESTS: Final = {
    "empty": b"",
    "not JSON": b"code=BCDF-GHJK",
    "not UTF-8": b'{"code": "\xff"}',
    "a list": b"[]",
    "a number": b"1",
    "nothing in it": b"{}",
    "a code that is a number": b'{"code": 1, "credential": {}}',
    "a code that is nothing": b'{"code": null, "credential": {}}',
    "deep": b"[" * 60000,
    "deep inside": b'{"code": "x", "credential": ' + b'{"a":' * 10000 + b"1" + b"}" * 10000 + b"}",
    "a long number": b'{"code": ' + b"9" * 6000 + b"}",
}
WRONG_CODES: Final = ("", "x" * 60000, "\ud800", "\x00", "ＢＣＤＦ－ＧＨＪＫ", "ßßßß", "\u202e", "%", "' OR 1=1 --")


@pytest.mark.parametrize("path", [OPTIONS_PATH, FINISH_PATH])
async def test_what_is_no_request_is_refused_with_a_sentence(path: str, gateway: PasskeyGateway) -> None:
    for name, body in NOT_REQUESTS.items():
        response = await gateway.post(path, body)
        assert response.status_code == 422, (name, response.text)
        assert "request" in refusal(response)
    for code in WRONG_CODES:
        response = await gateway.post(path, {"code": code, "credential": {}})
        assert response.status_code == 401, (code, response.text)
        assert "not known or has expired" in refusal(response)
    response = await gateway.post(path, json.dumps({"code": "x" * 70000}).encode())
    assert response.status_code == 413
    assert "64 KiB" in refusal(response)


ODD_ANSWERS: Final[tuple[Any, ...]] = (
    None,
    [],
    "text",
    5,
    {"id": 5},
    {"id": "\ud800"},
    {"id": "!"},
    {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": None},
    {"id": "AAAA", "rawId": [], "type": "public-key", "response": {"clientDataJSON": "AAAA"}},
    {"id": "A" * 60000},
)


async def test_odd_answers_are_refused_and_the_challenge_is_gone(gateway: PasskeyGateway) -> None:
    await gateway.register()
    for answer in ODD_ANSWERS:
        for started in (gateway.begin(), gateway.store.ceremonies.begin_registration(gateway.token, "other")):
            assert refusal(await gateway.finish(started.code, answer)) == PasskeyRefused.sentence, answer
            with pytest.raises(PasskeyRefused):
                gateway.store.ceremonies.outcome(started.ticket)
            assert (await gateway.post(OPTIONS_PATH, {"code": started.code})).status_code == 401
    assert gateway.labels() == ["laptop"]


async def test_other_methods_are_refused(gateway: PasskeyGateway) -> None:
    for path in (OPTIONS_PATH, FINISH_PATH):
        for method in ("GET", "PUT", "DELETE", "OPTIONS"):
            assert (await gateway.send(method, path)).status_code == 405
    for path in assets():
        assert (await gateway.send("POST", path)).status_code == 405


async def test_the_host_header_changes_nothing() -> None:
    hosts = ["evil.example", "gateway.example.evil.example", "127.0.0.1", "localhost:1", "gateway.example:1", "[::1]"]
    async with opened() as gateway:
        await gateway.register()
        code = gateway.begin().code
        for number in range(200):
            forged = {"Host": hosts[number % len(hosts)].replace("evil", f"evil{number}"), "X-Forwarded-Proto": "http"}
            forged["X-Forwarded-Host"] = forged["Host"]
            options = await gateway.options(code, headers=forged)
            assert options["publicKey"]["rpId"] == RP_ID
        forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
        started, answer = await gateway.answered(origin="https://evil.example", rp_id="evil.example")
        assert refusal(await gateway.finish(started.code, answer, headers=forged)) == PasskeyRefused.sentence
        started, answer = await gateway.answered()
        assert (await gateway.finish(started.code, answer, headers=forged)).status_code == 200
        print("BAR F3 Host headers with an effect: 0/200")


async def test_an_answer_that_nobody_finished_checking_is_not_waited_for(gateway: PasskeyGateway) -> None:
    started = gateway.begin()
    gateway.store.passkey_verification.claim(started.code)
    gateway.clock.advance(seconds=125)
    assert gateway.store.ceremonies.outcome(started.ticket) is CeremonyState.CLAIMED
    gateway.clock.advance(seconds=5)
    assert gateway.store.ceremonies.outcome(started.ticket) is CeremonyState.EXPIRED
