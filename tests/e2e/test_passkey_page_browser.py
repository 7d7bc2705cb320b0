"""The passkey page in a real browser, with a virtual authenticator, against a store and the real ceremonies."""

import os
import random
import re
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway import pages
from gateway.relying_party import RelyingParty
from store.errors import GatekeyError
from store.values.passkeys import CeremonyStarted, CeremonyState
from store.values.sign_in import SignedIn
from tests import parts
from tests.harness.ceremony_steps import CeremonySteps
from tests.harness.chromium import Refused, Tab, chromium

pytestmark = [pytest.mark.browser, pytest.mark.needs(parts.CHROMIUM)]

PICTURES = os.environ.get("PASSKEY_PAGE_PICTURES", "")
"""A folder for pictures of the page, for somebody who changes its looks."""


class Server(CeremonySteps):
    """The page and its two requests on localhost, in front of the real ceremonies."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        super().__init__(RelyingParty("localhost", f"http://localhost:{self.port}"))
        self.finished = 0
        routes = [Route(path, sends(asset)) for path, asset in pages.assets().items()]
        routes += [
            Route(pages.OPTIONS_PATH, self._answers(self._options), methods=["POST"]),
            Route(pages.FINISH_PATH, self._answers(self._finish), methods=["POST"]),
        ]
        config = uvicorn.Config(Starlette(routes=routes), log_level="critical", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})
        self._thread.start()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        self.store.close()

    def register(self, label: str = "laptop") -> CeremonyStarted:
        return self.store.ceremonies.begin_registration(self.token, label)

    def sign_in(self) -> CeremonyStarted:
        return self.store.ceremonies.begin_sign_in(source=f"pts/{random.random()}")

    def address(self, code: str = "") -> str:
        return pages.page_address(self.party.origin, code)

    @staticmethod
    def _answers(rule: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            body = await request.json()
            try:
                return JSONResponse(await run_in_threadpool(rule, body))
            except GatekeyError as error:
                told = {"title": error.title, "sentence": str(error)}
                return JSONResponse({"error": told}, status_code=400)

        return endpoint

    def _options(self, body: dict[str, Any]) -> dict[str, Any]:
        found = self.store.passkey_verification.look_up(body["code"])
        left = (found.expires_at - self.clock.now()).total_seconds()
        return {
            "purpose": found.purpose,
            "publicKey": self.options(body["code"]),
            "user": found.account_name,
            "expires_in": int(left),
        }

    def _finish(self, body: dict[str, Any]) -> dict[str, Any]:
        self.finished += 1
        self.finish(body["code"], body["credential"])
        return {"ok": True}


def sends(asset: pages.Asset) -> Callable[[Request], Response]:
    return lambda _: Response(asset.body, media_type=asset.media_type, headers=dict(pages.PAGE_HEADERS))


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Tab]:
    with chromium() as tab:
        yield tab


@pytest.fixture
def tab(browser: Tab) -> Iterator[Tab]:
    """The shared tab, with no authenticator and no complaint left from the test before."""
    browser.messages.clear()
    browser.requests.clear()
    yield browser
    browser.call("WebAuthn.disable")
    browser.call(
        "Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1
    )


def picture(tab: Tab, name: str) -> None:
    if not PICTURES:
        return
    for scheme in ("light", "dark"):
        tab.appear(scheme)
        tab.picture(Path(PICTURES) / f"{name}-{scheme}.png")


def go_to_confirm(tab: Tab, server: Server, started: CeremonyStarted) -> None:
    """A person's steps at the address: type the code, press Enter."""
    tab.open(server.address())
    tab.type("#code", started.code.lower())
    tab.press("Enter")
    tab.wait_for("!document.querySelector('#confirm').hidden")


def press_proceed(tab: Tab) -> None:
    tab.click("#proceed")
    tab.wait_for("!document.querySelector('#done').hidden || !document.querySelector('#problem').hidden")


def test_register_then_sign_in(tab: Tab, server: Server) -> None:
    tab.add_authenticator()
    started = server.register()
    tab.open(server.address())
    picture(tab, "1-code")
    go_to_confirm(tab, server, started)
    picture(tab, "2-create")
    assert tab.text("#confirm-title") == "Create a passkey"
    assert tab.text("#account") == "alice"
    assert tab.text("#shown-code") == started.code
    assert tab.text("#address") == f"localhost:{server.port}"
    assert re.fullmatch(r"[12]:[0-5][0-9]", tab.text("#time-left"))
    press_proceed(tab)
    assert tab.text("#done-title") == "Passkey created"
    picture(tab, "3-done")
    assert server.store.ceremonies.outcome(started.ticket) is CeremonyState.DONE
    assert [info.label for info in server.store.passkeys.list(server.token)] == ["laptop"]

    for _ in range(2):
        signing = server.sign_in()
        tab.open(server.address(signing.code))
        assert tab.evaluate("document.querySelector('#code').value") == signing.code
        assert tab.evaluate("location.hash") == ""
        assert tab.evaluate("document.activeElement.id") == "continue"
        tab.press("Enter")
        tab.wait_for("!document.querySelector('#confirm').hidden")
        assert tab.text("#confirm-title") == "Sign in with a passkey"
        assert tab.evaluate("document.querySelector('#account-row').hidden") is True
        press_proceed(tab)
        assert tab.text("#done-title") == "Passkey accepted"
        assert isinstance(server.store.ceremonies.collect_sign_in(signing.ticket, source="pts/0"), SignedIn)

    assert tab.messages == []
    assert {url.split("#")[0] for url in tab.requests if not url.startswith("about:")} == {
        server.address(),
        f"{server.party.origin}/passkey/passkey.css",
        f"{server.party.origin}/passkey/passkey.js",
        f"{server.party.origin}{pages.OPTIONS_PATH}",
        f"{server.party.origin}{pages.FINISH_PATH}",
    }


def test_a_device_that_has_a_passkey_makes_no_second(tab: Tab, server: Server) -> None:
    tab.add_authenticator()
    go_to_confirm(tab, server, server.register())
    press_proceed(tab)
    again = server.register("again")
    go_to_confirm(tab, server, again)
    press_proceed(tab)
    assert tab.text("#problem-title") == "This device has a passkey already"
    picture(tab, "4-duplicate")
    assert server.store.ceremonies.outcome(again.ticket) is CeremonyState.WAITING
    assert len(server.store.passkeys.list(server.token)) == 1


def test_a_user_who_is_not_verified_can_try_again(tab: Tab, server: Server) -> None:
    device = tab.add_authenticator()
    tab.set_verified(device, verified=False)
    started = server.register()
    go_to_confirm(tab, server, started)
    press_proceed(tab)
    assert tab.text("#problem-title") == "Nothing was confirmed"
    assert server.finished == 0
    assert server.store.ceremonies.outcome(started.ticket) is CeremonyState.WAITING
    tab.set_verified(device, verified=True)
    tab.click("#proceed")
    tab.wait_for("!document.querySelector('#done').hidden")
    assert tab.evaluate("document.querySelector('#problem').hidden") is True
    assert server.store.ceremonies.outcome(started.ticket) is CeremonyState.DONE


def test_a_device_without_user_verification_cannot_register(tab: Tab, server: Server) -> None:
    tab.add_authenticator(hasUserVerification=False, isUserVerified=False)
    started = server.register()
    go_to_confirm(tab, server, started)
    press_proceed(tab)
    assert tab.text("#problem-title") == "Nothing was confirmed"
    assert server.finished == 0


def test_an_unknown_code_and_an_empty_one_are_explained(tab: Tab, server: Server) -> None:
    tab.open(server.address())
    tab.press("Enter")
    tab.wait_for("!document.querySelector('#problem').hidden")
    assert tab.text("#problem-title") == "The code is missing"
    assert tab.evaluate("document.activeElement.id") == "code"
    tab.type("#code", "BCDF-GHJK")
    tab.press("Enter")
    tab.wait_for("document.querySelector('#problem-title').textContent === 'Time ran out'")
    assert "Start again in the console" in tab.text("#problem-sentence")
    picture(tab, "5-unknown-code")


def test_a_code_that_runs_out_on_the_page_is_explained(tab: Tab, server: Server) -> None:
    started = server.register()
    server.clock.advance(seconds=119)
    tab.open(server.address())
    tab.type("#code", started.code)
    tab.press("Enter")
    # The step that asks to confirm may be gone before it is looked for, and only it comes to say this.
    tab.wait_for("document.querySelector('#problem-title').textContent === 'The code has expired'")
    assert tab.evaluate("document.querySelector('#problem').hidden") is False
    assert tab.evaluate("document.querySelector('#enter').hidden") is False


def test_a_code_that_runs_out_on_the_server_is_explained(tab: Tab, server: Server) -> None:
    tab.add_authenticator()
    go_to_confirm(tab, server, server.register())
    server.clock.advance(seconds=121)
    press_proceed(tab)
    assert tab.text("#problem-title") == "Time ran out"
    assert tab.evaluate("document.querySelector('#code').value") == ""
    assert server.store.passkeys.list(server.token) == []


def test_a_lost_connection_can_be_tried_again(tab: Tab, server: Server) -> None:
    tab.open(server.address())
    started = server.register()
    offline = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    tab.call("Network.emulateNetworkConditions", offline=True, **offline)
    tab.type("#code", started.code)
    tab.press("Enter")
    tab.wait_for("!document.querySelector('#problem').hidden")
    assert tab.text("#problem-title") == "The server cannot be reached"
    tab.call("Network.emulateNetworkConditions", offline=False, **offline)
    tab.press("Enter")
    tab.wait_for("!document.querySelector('#confirm').hidden")


def test_an_address_that_does_not_fit_is_explained(tab: Tab, server: Server) -> None:
    tab.add_authenticator()
    started = server.register()
    tab.open(server.address(started.code).replace("localhost", "127.0.0.1"))
    tab.press("Enter")
    tab.wait_for("!document.querySelector('#confirm').hidden")
    press_proceed(tab)
    assert tab.text("#problem-title") == "This address does not fit"
    assert server.finished == 0


@pytest.mark.parametrize(
    ("change", "title"),
    [
        ("delete window.PublicKeyCredential", "This browser is too old"),
        ("delete PublicKeyCredential.parseCreationOptionsFromJSON", "This browser is too old"),
        ("Object.defineProperty(window, 'isSecureContext', {value: false})", "Passkeys do not work at this address"),
    ],
)
def test_a_browser_that_cannot_is_told_at_once(tab: Tab, server: Server, change: str, title: str) -> None:
    script = tab.call("Page.addScriptToEvaluateOnNewDocument", source=change)
    tab.open(server.address())
    tab.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])
    assert tab.text("#problem-title") == title
    assert tab.evaluate("document.querySelector('#enter').hidden") is True


def test_without_a_script_the_page_says_what_it_needs(tab: Tab, server: Server) -> None:
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    tab.open(server.address())
    tab.call("Emulation.setScriptExecutionDisabled", value=False)
    assert "needs JavaScript" in tab.text("main")


def test_the_page_reads_well_without_its_styles(tab: Tab, server: Server) -> None:
    tab.call("Network.setBlockedURLs", urls=["*.css"])
    tab.open(server.address())
    tab.call("Network.setBlockedURLs", urls=[])
    assert tab.evaluate("getComputedStyle(document.body).display") == "block"
    lines = [line for line in tab.text("main").splitlines() if line.strip()]
    assert lines[0] == "gatekey"
    assert "Enter the code from your console" in lines
    assert "Create passkey" not in lines
    picture(tab, "6-without-styles")


def test_the_policy_stops_what_is_not_ours(tab: Tab, server: Server) -> None:
    tab.open(server.address())
    for attempt in (
        "document.body.innerHTML = '<p>'",
        "document.createElement('script').textContent = 'window.owned = 1'",
        "eval('window.owned = 1')",
        "trustedTypes.createPolicy('mine', {})",
    ):
        with pytest.raises(Refused, match=r"Trusted|Policy|EvalError"):
            tab.evaluate(attempt)
    assert tab.evaluate("fetch('http://127.0.0.1:1/').then(() => 'sent', () => 'stopped')") == "stopped"
    assert any("Content Security Policy" in message for message in tab.messages)
    assert tab.evaluate("window.owned") is None


def test_everything_can_be_reached_and_has_a_name(tab: Tab, server: Server) -> None:
    tab.add_authenticator()
    go_to_confirm(tab, server, server.register())
    assert tab.evaluate("document.activeElement.id") == "confirm-title"
    tab.press("Tab")
    assert tab.evaluate("document.activeElement.id") == "proceed"
    tab.press("Tab")
    assert tab.evaluate("document.activeElement.id") == "back"
    tab.press("Enter")
    tab.wait_for("!document.querySelector('#enter').hidden")
    nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
    named = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]}
    assert {
        ("textbox", "Code"),
        ("button", "Continue"),
        ("heading", "Enter the code from your console"),
    } <= named
    roles = {node["role"]["value"] for node in nodes}
    assert {"status", "main", "list"} <= roles


@pytest.mark.parametrize(("width", "height"), [(320, 568), (1440, 900)])
def test_nothing_is_cut_off(tab: Tab, server: Server, width: int, height: int) -> None:
    tab.appear("light", width=width, height=height)
    go_to_confirm(tab, server, server.register())
    if PICTURES:
        tab.picture(Path(PICTURES) / f"7-{width}.png")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
