"""Sends the recorded exchanges of a build to a stand-in, one after the other, and says where an answer differs."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from tests.new_api.accounts import ENABLED, Account
from tests.new_api.likeness import differences, filled
from tests.new_api.running import StandIn
from tests.new_api.two_factor import code_at

BEGIN: Final = datetime(2026, 11, 26, 1, 43, tzinfo=UTC)
AGENT: Final = "Replay/1"


class Actor:
    """Somebody of the recording: a cookie jar, and the tokens that the answers gave."""

    def __init__(self, address: str) -> None:
        self.http = httpx.Client(base_url=address, trust_env=False)
        self.http.headers.clear()
        self.tokens: list[str] = []


class Replay:
    """State of one pass: who has which cookies, and what the names in the recording stand for."""

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin
        standin.clock.time = BEGIN
        self.names: dict[str, str] = {"agent": AGENT}
        self._actors: dict[str, Actor] = {}
        self._steps: dict[str, Callable[[dict[str, Any]], None]] = {
            "request": self._request,
            "options": self._options,
            "advance": lambda step: standin.clock.advance(seconds=step["seconds"]),
            "mailed": lambda step: self.names.update({step["bind"]: standin.world.mail[-1][2]}),
            "unlock": lambda _step: self._unlock(),
            "unban": lambda _step: setattr(self._alice, "status", ENABLED),
            "limits": lambda _step: setattr(standin.world, "has_limits", True),
        }

    def close(self) -> None:
        for actor in self._actors.values():
            actor.http.close()

    def compare(self, exchange: dict[str, Any]) -> list[str]:
        """Send one exchange; what differs."""
        for step in exchange.get("before", ()):
            for _ in range(step.get("times", 1)):
                self._steps[step["do"]](step)
        asked = exchange["request"]
        response = self._send(exchange.get("as"), asked)
        lines = _head_differences(exchange, response)
        if "answer" in exchange:
            partial = exchange.get("partial", False)
            lines += differences(exchange["answer"], _json(response), self.names, partial=partial)
        elif "events" in exchange:
            events = [line.removeprefix("data: ") for line in response.text.split("\n") if line]
            found = [event if event == "[DONE]" else json.loads(event) for event in events]
            lines += differences(exchange["events"], found, self.names)
        elif response.content:
            lines.append(f"not empty: {response.content[:80]!r}")
        if "stored" in exchange:
            found = json.loads(self._alice.setting_text)
            if list(found.items()) != list(exchange["stored"].items()):
                lines.append(f"stored: {found}")
        return lines

    @property
    def _alice(self) -> Account:
        return self.standin.world.accounts[2]

    def _unlock(self) -> None:
        self._alice.two_factor.failures = self._alice.two_factor.locked_until = 0

    def _options(self, step: dict[str, Any]) -> None:
        self.standin.world.options |= {name: value for name, value in step.items() if name != "do"}

    def _request(self, step: dict[str, Any]) -> None:
        """A request that was not shown. It has to succeed, unless it is sent until something happens."""
        response = self._send(step.get("as"), step)
        while step.get("until", response.status_code) != response.status_code:
            response = self._send(step.get("as"), step)
        for name, path in step.get("bind", {}).items():
            value: Any = response.json()
            for part in path.split("."):
                value = value[part]
            self.names[name] = value

    def _send(self, who: str | None, asked: dict[str, Any]) -> httpx.Response:
        actor = self._actors.get(who or "") or Actor(self.standin.address)
        self._actors[who or ""] = actor
        if who is None:
            actor.http.cookies.clear()
        asked = filled(asked, self.names | self._present(actor))
        headers = {"Accept-Encoding": "gzip", "User-Agent": AGENT} | asked.get("headers", {})
        content = asked.get("text")
        if "body" in asked:
            content = json.dumps(asked["body"])
        if content is not None:
            headers["Content-Type"] = "application/json"
        response = actor.http.request(asked["method"], asked["path"], headers=headers, content=content)
        self._keep(actor, response)
        return response

    def _present(self, actor: Actor) -> dict[str, str]:
        """The values that the names stand for at the moment."""
        names = {"jwt": (actor.tokens or [""])[-1], "jwt-before": (["", *actor.tokens])[-2] if actor.tokens else ""}
        if 2 in self.standin.world.accounts and self._alice.two_factor.secret:
            code = code_at(self._alice.two_factor.secret, self.standin.world.now())
            names |= {"totp": code, "totp spaced": f"{code[:3]} {code[3:]}"}
        plain = {f"plain {name}": value.replace("-", "").lower() for name, value in self.names.items()}
        return {"totp": "", "totp spaced": "", **plain, **names}

    def _keep(self, actor: Actor, response: httpx.Response) -> None:
        """Tokens and proofs of an answer, as a client keeps them."""
        data = _json(response)
        data = data.get("data") if isinstance(data, dict) else None
        if isinstance(data, dict) and isinstance(data.get("access_token"), str):
            actor.tokens.append(data["access_token"])
        if isinstance(data, dict) and isinstance(data.get("proof_token"), str):
            self.names[f"proof {data['method']} {data['scope']}"] = data["proof_token"]


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _head_differences(exchange: dict[str, Any], response: httpx.Response) -> list[str]:
    """Status and the headers that matter."""
    given = [cookie.partition("=")[0] for cookie in response.headers.get_list("set-cookie")]
    found = (response.status_code, response.headers.get("content-type"), response.headers.get("cache-control"), given)
    wanted = (exchange["status"], exchange["type"], exchange.get("cache"), exchange.get("cookies", []))
    return [] if found == wanted else [f"{wanted} became {found}"]
