"""The OpenAPI document and the gateway agree: schemathesis sends whatever the one allows, and much that it does not,
and finds nothing to say against the answers of the other."""

import json
import re
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.app import create_app
from gateway.pages import PAGE_HEADERS, assets
from gateway.paths import RELAY_PREFIX
from gateway.relay.endpoints import ENDPOINTS
from gateway.relay.models import Models
from store.sections import PriceSettings
from store.store import Store
from tests.fakes.model_answers import Asked
from tests.fakes.model_server import ModelServer
from tests.harness.gateway_client import client_of, make_relayed, make_token
from tests.harness.live_servers import live
from tests.harness.stores import add_account, lift_request_rates, make_store, sign_in

SCHEMATHESIS: Final = Path(sysconfig.get_path("scripts")) / "schemathesis"
_GENERATED: Final = re.compile(r"(\d+) generated")

CONFIGURATION: Final = """
[auth.openapi.SystemAccessToken]
bearer = "{token}"

[auth.openapi.ApiKey]
bearer = "{key}"

# What schemathesis does not expect by itself: a version that is not the current one (412), none at all (428, RFC 6585).
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "412", "413", "415", "422", "428", "429"]

[checks.missing_required_header]
expected-statuses = ["401", "415", "422", "428"]

# What a schema cannot say: a proof that is wrong, and after some a wait for the next one, fifty keys that are there
# already, a key that was revoked, a date that has passed, a network that is none.
[[operations]]
include-name-regex = "^(POST|PATCH) /api/account/keys"
checks.positive_data_acceptance.expected-statuses = ["2xx", "403", "404", "409", "422", "429"]

# What a schema cannot say: that version again, the wait after wrong proofs, and a channel that is on and has no address
# (422).
[[operations]]
include-name-regex = "^PUT /api/account/settings/(price|privacy|sidebar)$"
checks.positive_data_acceptance.expected-statuses = ["2xx", "403", "412", "429"]

[[operations]]
include-name = "PUT /api/account/settings/notifications"
checks.positive_data_acceptance.expected-statuses = ["2xx", "403", "412", "422", "429"]

# Tools and items of the input have more forms than a schema should say, and some name what is stored (400).
[[operations]]
include-name-regex = "^POST /v1/(responses|messages|audio/trans|images/(edits|variations))"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "403", "404", "409", "422", "429"]

# A part of a form is text, whatever the type was of which it was made: none is of another.
[[operations]]
include-name-regex = "^POST /v1/(files|audio/trans|images/(edits|variations))"
checks.negative_data_rejection.expected-statuses = ["2xx", "400", "401", "403", "405", "413", "415", "422", "429"]
"""


@dataclass(frozen=True, slots=True)
class Setup:
    """A gateway on a socket, and what opens it: Bob's token, and the key of Alice, who accepts every model."""

    url: str
    token: str
    key: str
    models: ModelServer
    store: Store


@contextmanager
def gateway() -> Iterator[Setup]:
    """Nobody is kept waiting for bad tokens here: each operation is called with many."""
    models = ModelServer(fault=lenient)
    site = {"rp_id": "localhost", "origin": "http://localhost:8787", "enabled": "true"}
    with pytest.MonkeyPatch.context() as patch, make_store() as store, live(models.app) as upstream:
        for module in ("gateway.bearer", "store.throttle"):
            patch.setattr(f"{module}.BEARER_ATTEMPTS", 1_000_000)
        patch.setattr("gateway.rate_limiter.MAX_SAVES_PER_MINUTE", 1_000_000)
        lift_request_rates(store)
        key = make_relayed(store, quota_usd=1_000_000)
        store.site.set("upstream.base_url", f"{upstream}/v1")
        store.settings.save(sign_in(store), PriceSettings(accept_unpriced_models=True), 1)
        for name, value in site.items():
            store.site.set(f"passkeys.{name}", value)
        add_account(store, "bob", email="bob@example.com")
        with live(create_app(store, dispatches=False)) as url:
            yield Setup(url, make_token(store, "bob"), key, models, store)


def lenient(asked: Asked) -> Response | None:
    """Takes every batch: what the model server makes of one is not what is looked at here."""
    if asked.path != "/v1/batches":
        return None
    return JSONResponse({"id": "batch_0001", "object": "batch", "status": "validating"})


def run(setup: Setup, folder: Path, *arguments: str) -> str:
    """The output of schemathesis. Fails with it if there was a finding."""
    configuration = folder / "schemathesis.toml"
    configuration.write_text(CONFIGURATION.format(token=setup.token, key=setup.key))
    command = [str(SCHEMATHESIS), "--config-file", str(configuration), "run", f"{setup.url}/openapi.json"]
    done = subprocess.run(
        [*command, "--checks", "all", "--no-color", "--generation-deterministic", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=3000,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.one_interpreter
def test_every_documented_case_was_answered_as_documented(tmp_path: Path) -> None:
    with gateway() as setup:
        found = run(setup, tmp_path, "--phases", "examples,coverage,stateful", "--max-examples", "5")
        asked = {asked.path for asked in setup.models.asked}
    cases = cases_in(found)
    print(f"BAR R15-short {cases} cases, 0 findings")
    assert cases > 500
    assert {f"{RELAY_PREFIX}{path}" for path in ("/chat/completions", "/embeddings", "/batches")} <= asked


@pytest.mark.long
def test_ten_thousand_cases_found_nothing(tmp_path: Path) -> None:
    phases = "examples,coverage,fuzzing,stateful"
    with gateway() as setup:
        found = run(setup, tmp_path, "--phases", phases, "--max-examples", "400")
    cases = cases_in(found)
    print(f"BAR R15 {cases} cases, 0 findings")
    assert cases >= 10_000


def cases_in(report: str) -> int:
    match = _GENERATED.search(report)
    assert match is not None, report
    return int(match[1])


def test_a_proof_is_one_of_two(documented: dict[str, Any]) -> None:
    body = documented["paths"]["/api/account/settings/price"]["put"]["requestBody"]["content"]["application/json"]
    proof = body["schema"]["properties"]["proof"]["anyOf"][0]
    assert (proof["minProperties"], proof["maxProperties"]) == (1, 1)
    assert [(each["type"], "default" in each) for each in proof["properties"].values()] == [("string", False)] * 2


def test_schemathesis_still_finds_something(tmp_path: Path) -> None:
    """A checker that never says anything is no checker: an answer that is not documented is found."""
    only = ("--phases", "coverage", "--include-path", "/v1/models", "--max-examples", "1")
    with gateway() as setup, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Models, "list_all", undocumented)
        with live(create_app(setup.store, dispatches=False)) as url, pytest.raises(AssertionError, match="418"):
            run(replace(setup, url=url), tmp_path, *only)


async def undocumented(_models: Models, _request: Request) -> Response:
    return Response("", 418)


@pytest.fixture(scope="module")
def documented() -> dict[str, Any]:
    with make_store() as store:
        return create_app(store, dispatches=False).openapi()


def test_every_address_and_every_refusal_was_documented(documented: dict[str, Any]) -> None:
    paths = documented["paths"]
    assert {f"{RELAY_PREFIX}{each.path}" for each in ENDPOINTS} | set(assets()) | {"/healthz", "/readyz"} <= set(paths)
    for path, operations in paths.items():
        for operation in operations.values():
            statuses = set(operation["responses"])
            assert {"405", "500", "503"} <= statuses, path
            assert len(statuses & {"200", "201"}) == 1, path
            assert "security" in operation or path.startswith(("/passkey", "/healthz", "/readyz")), path
            assert ("401" in statuses) is ("security" in operation or path.startswith("/passkey/api")), path
    names = [operation["operationId"] for operations in paths.values() for operation in operations.values()]
    assert len(names) == len(set(names))


def test_no_example_in_the_document_looks_like_a_secret(documented: dict[str, Any]) -> None:
    assert not re.search(r"(gk_|sk-|whsec_)[0-9A-Za-z]{6,}", json.dumps(documented))


async def test_what_is_documented_is_what_is_allowed() -> None:
    with make_store() as store:
        async with client_of(store) as client:
            for path, operations in create_app(store, dispatches=False).openapi()["paths"].items():
                methods = {method.upper() for method in operations}
                answer = await client.request("TRACE", re.sub(r"\{\w+\}", "something", path))
                allowed = set(answer.headers["allow"].split(", "))
                assert (answer.status_code, allowed) == (405, methods | ({"HEAD"} if "GET" in methods else set()))
                policed = {name for name, value in PAGE_HEADERS.items() if answer.headers.get(name) == value}
                assert policed == (set(PAGE_HEADERS) if path.startswith("/passkey") else set())


async def test_head_was_answered_as_get_without_its_body() -> None:
    with make_store() as store:
        make_relayed(store)
        async with client_of(store, token=make_token(store)) as client:
            for path in ("/healthz", "/api/account", "/api/account/settings/price", "/nothing"):
                head, get = await client.head(path), await client.get(path)
                assert (head.status_code, head.headers, head.content) == (get.status_code, get.headers, b"")


def test_every_schema_has_a_short_name(store: Store) -> None:
    """Two models of one name are told apart by their modules, and a client's generated classes are named by that."""
    names = create_app(store).openapi()["components"]["schemas"]
    assert [name for name in names if "__" in name] == []
