"""A client for the tests of the stand-in itself: it keeps what a sign-in gave, and does no more than it is told."""

import json
from types import TracebackType
from typing import Any

import httpx

from tests.new_api.running import PASSWORD, StandIn


class Visitor:
    """Somebody with a cookie jar, an id and a bearer token."""

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin
        self.http = httpx.Client(base_url=standin.address, trust_env=False, headers={"Accept-Language": "en"})
        self.credentials: dict[str, str] = {}

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """One request with the credentials that are held; underscores in header names stand for dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.request(method, path, json=body, headers=self.credentials | named)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """The JSON of an answer that has status 200."""
        response = self.send(method, path, body, **headers)
        assert response.status_code == 200, response.text
        answer = response.json()
        assert isinstance(answer, dict)
        return answer

    def data(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """`data` of an answer that says success."""
        answer = self.ask(method, path, body, **headers)
        assert answer["success"] is True, answer
        return answer.get("data")

    def sign_in(self, name: str = "alice", password: str = PASSWORD) -> "Visitor":
        return self.keep(self.data("POST", "/api/user/login", {"username": name, "password": password}))

    def keep(self, data: dict[str, Any]) -> "Visitor":
        """Use what a sign-in or a change of credentials has answered."""
        if "access_token" in data:
            self.credentials = {"Authorization": f"Bearer {data['access_token']}"}
        elif "id" in data:
            self.credentials = {"New-Api-User": str(data["id"])}
        return self

    def setting(self) -> dict[str, Any]:
        """The stored setting."""
        found = json.loads(self.data("GET", "/api/user/self")["setting"] or "{}")
        assert isinstance(found, dict)
        return found
