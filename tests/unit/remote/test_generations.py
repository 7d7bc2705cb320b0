"""The facts of a server, by its public status and by how it refuses."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from remote.generations import Generation
from store.errors import GatekeyError, NotANewApi, ServerFailed, ServerUnreachable
from tests.harness.scripted_server import STATUS, ScriptedServer, answer, client_of, raw, refusal

FEB = {"_qn": "new-api", "top_up_link": ""}
AUG = {"register_enabled": True}
WITHOUT_CODE, WITH_CODE = refusal(status=401), refusal(status=401, code="AUTH_UNAUTHORIZED")


def server_with(status: dict[str, Any], refused: httpx.Response = WITH_CODE) -> ScriptedServer:
    server = ScriptedServer()
    server.script("GET /api/status", answer(status))
    server.script("GET /api/user/self", refused)
    return server


@pytest.mark.parametrize(
    ("marks", "refused", "generation"),
    [
        (FEB, WITHOUT_CODE, Generation.FEB),
        (AUG, WITH_CODE, Generation.AUG),
        ({}, WITHOUT_CODE, Generation.FEB),
        ({}, WITH_CODE, Generation.AUG),
        (FEB, WITH_CODE, Generation.UNKNOWN),
        (AUG, WITHOUT_CODE, Generation.UNKNOWN),
        ({}, refusal(status=403, code="X"), Generation.UNKNOWN),
    ],
)
async def test_a_generation_is_told_by_its_marks_and_its_refusal(
    marks: dict[str, Any], refused: httpx.Response, generation: Generation
) -> None:
    assert (await client_of(server_with(STATUS | marks, refused)).facts()).generation is generation


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (answer({"status": "ok"}), NotANewApi),
        (answer("ok"), NotANewApi),
        (refusal(), NotANewApi),
        (raw(200, b"<html>", {"content-type": "text/html"}), NotANewApi),
        (raw(404, b"<html>", {"content-type": "text/html"}), NotANewApi),
        (raw(404, b'{"error":"x"}', {"content-type": "application/json"}), NotANewApi),
        (raw(302, headers={"location": "https://login.example/"}), NotANewApi),
        (raw(500), ServerFailed),
        (httpx.ConnectError("x"), ServerUnreachable),
    ],
)
async def test_another_server_is_no_new_api(given: httpx.Response | Exception, kind: type[GatekeyError]) -> None:
    server = server_with(STATUS)
    server.script("GET /api/status", given)
    with pytest.raises(GatekeyError) as caught:
        await client_of(server).facts()
    assert type(caught.value) is kind


async def test_the_status_is_asked_once() -> None:
    server = server_with(STATUS)
    client = client_of(server)
    assert await client.facts() is await client.facts()
    assert len(server.asked("GET /api/status")) == 1
    await client.facts(again=True)
    assert len(server.asked("GET /api/status")) == 2


async def test_facts_are_read_and_what_is_odd_has_its_default() -> None:
    facts = await client_of(
        server_with(
            STATUS
            | {
                "system_name": "Ours\x1b[31m",
                "quota_per_unit": 500000.5,
                "turnstile_check": "yes",
                "passkey_login": True,
                "github_oauth": True,
                "github_client_id": "abc",
                "oidc_enabled": True,
                "oidc_display_name": "Company",
                "oidc_authorization_endpoint": "https://id.example/authorize",
                "custom_oauth_providers": [{"slug": "gitea", "name": "Gitea"}, {"name": "no slug"}, 7],
                "telegram_oauth": True,
                "telegram_bot_name": "bot",
                "SidebarModulesAdmin": '{"console":{"enabled":true,"task":false}}',
                "enable_task": False,
            }
        )
    ).facts()
    assert facts.system_name == "Ours\N{REPLACEMENT CHARACTER}[31m"
    assert facts.quota_per_usd == Decimal("500000.5")
    assert (facts.asks_for_captcha, facts.has_passkeys, facts.has_task_log, facts.has_drawing_log) == (
        *(False, True),
        *(False, True),
    )
    assert [(one.slug, one.name, one.is_custom) for one in facts.providers] == [
        ("github", "GitHub", False),
        ("oidc", "Company", False),
        ("gitea", "Gitea", True),
    ]
    assert facts.telegram_bot == "bot"
    assert facts.admin_sidebar.object("console").flag("task", default=True) is False


@pytest.mark.parametrize("unit", [0, -1, "500000", None, True])
async def test_a_unit_that_makes_no_sense_is_the_usual_one(unit: object) -> None:
    assert (await client_of(server_with(STATUS | {"quota_per_unit": unit})).facts()).quota_per_usd == 500_000
