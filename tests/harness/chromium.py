"""Debian's Chromium, headless, driven over the DevTools protocol with nothing but a web socket.

Protocol: https://chromedevtools.github.io/devtools-protocol/ (domains Target, Page, Runtime, WebAuthn).
"""

import base64
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from websockets.sync.client import ClientConnection, connect

ANSWER_SECONDS: Final = 90.0
"""Seconds for a command, a start or an awaited state: a loaded machine is slow, not broken."""

_ANNOUNCED: Final = "DevTools listening on "
_OPTIONS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)

_WHEN: Final = """new Promise((resolve, reject) => {
  const check = () => {
    const found = (() => (%s))();
    if (!found) return;
    observer.disconnect();
    resolve(found);
  };
  const observer = new MutationObserver(check);
  observer.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
  setTimeout(() => { observer.disconnect(); reject(new Error("never came")); }, %d);
  check();
})"""


class Refused(Exception):
    """The browser refused a command, or a script threw."""


class Tab:
    """One page. `messages` are the console's errors and warnings, and the browser's own complaints."""

    def __init__(self, socket: ClientConnection, session_id: str) -> None:
        self._socket = socket
        self._session_id = session_id
        self._number = 0
        self._loaded = False
        self.messages: list[str] = []
        self.requests: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command; its result."""
        self._number += 1
        command = {
            "id": self._number,
            "method": method,
            "params": parameters,
            "sessionId": self._session_id,
        }
        self._socket.send(json.dumps(command))
        while True:
            message = json.loads(self._socket.recv(timeout=ANSWER_SECONDS))
            if message.get("id") != self._number or message.get("sessionId") != self._session_id:
                self._note(message)
                continue
            if "error" in message:
                raise Refused(message["error"]["message"])
            result: dict[str, Any] = message["result"]
            return result

    def open(self, url: str) -> None:
        """Go to `url`, and wait until it has loaded."""
        # By way of an empty page: a new fragment alone would not load anything.
        for step in ("about:blank", url):
            self._loaded = False
            if self.call("Page.navigate", url=step).get("errorText"):
                raise Refused(step)
            while not self._loaded:
                self._note(json.loads(self._socket.recv(timeout=ANSWER_SECONDS)))

    def evaluate(self, expression: str, *, by_user: bool = False) -> Any:
        """The value of a script, awaited if it is a promise."""
        answer = self.call(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
            userGesture=by_user,
            # The protocol would otherwise lift the page's policy for us.
            allowUnsafeEvalBlockedByCSP=False,
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise Refused(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def wait_for(self, condition: str) -> Any:
        """Wait until a script expression is true; its value. Looks only when the page changes."""
        return self.evaluate(_WHEN % (condition, int(ANSWER_SECONDS * 1000)))

    def type(self, selector: str, text: str) -> None:
        """Put the focus on an element and type, as a keyboard would."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """One key, such as Enter or Tab."""
        known = {"Enter": (13, "\r"), "Tab": (9, "")}
        code, text = known[key]
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, text=text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def click(self, selector: str) -> None:
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()", by_user=True)

    def text(self, selector: str) -> str:
        """The text a person reads there."""
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))

    def add_authenticator(self, **options: Any) -> str:
        """A virtual authenticator with resident keys and user verification (CDP, WebAuthn domain); its id."""
        self.call("WebAuthn.enable", enableUI=False)
        usual = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        answer = self.call("WebAuthn.addVirtualAuthenticator", options={**usual, **options})
        return str(answer["authenticatorId"])

    def set_verified(self, authenticator: str, *, verified: bool) -> None:
        """Decide if the authenticator's PIN or fingerprint check succeeds from now on."""
        self.call("WebAuthn.setUserVerified", authenticatorId=authenticator, isUserVerified=verified)

    def appear(self, scheme: str, *, width: int = 520, height: int = 680) -> None:
        """Light or dark, and how large."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2, mobile=False)

    def picture(self, path: Path) -> None:
        """Save what is seen as a PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def _note(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        match message.get("method"):
            case "Page.loadEventFired":
                self._loaded = True
            case "Log.entryAdded":
                self.messages.append(parameters["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.messages.append(parameters["exceptionDetails"]["text"])
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])


@contextmanager
def chromium() -> Iterator[Tab]:
    """A browser with one empty tab and a profile of its own; both are gone at the end."""
    with tempfile.TemporaryDirectory(prefix="gatekey-chromium-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            ["chromium", *_OPTIONS, f"--user-data-dir={profile}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            # No pings: a browser that is slow to answer them would be cut off.
            with connect(
                _address(process), max_size=None, proxy=None, open_timeout=ANSWER_SECONDS, ping_interval=None
            ) as socket:
                yield _first_tab(socket)
                socket.send(json.dumps({"id": 0, "method": "Browser.close"}))
                with suppress(subprocess.TimeoutExpired):  # the tests are over; it is killed below
                    process.wait(ANSWER_SECONDS)
        finally:
            if process.poll() is None:
                # The renderers and the rest of the family live in the same session.
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if process.stderr:
                process.stderr.close()


def _address(process: subprocess.Popen[str]) -> str:
    for line in process.stderr or ():
        if line.startswith(_ANNOUNCED):
            return line.removeprefix(_ANNOUNCED).strip()
    raise Refused("Chromium ended before it listened.")


def _first_tab(socket: ClientConnection) -> Tab:
    def ask(number: int, method: str, **parameters: Any) -> dict[str, Any]:
        socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(socket.recv(timeout=ANSWER_SECONDS))
            if message.get("id") == number:
                result: dict[str, Any] = message["result"]
                return result

    target = ask(-1, "Target.createTarget", url="about:blank")["targetId"]
    return Tab(socket, ask(-2, "Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
