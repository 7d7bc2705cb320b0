"""One request on its way through the stand-in, and the rule that says who may send it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Final

from tests.new_api.accounts import Account
from tests.new_api.answers import Answer, Refused, failed
from tests.new_api.generations import Generation
from tests.new_api.messages import preferred, sentence
from tests.new_api.world import LoginSession, World

ANYONE: Final = 0
MONTH_S: Final = 2_592_000


@dataclass(frozen=True)
class Rule:
    """One route: who may call it, in which generation, and how its answers are marked."""

    method: str
    path: str
    """`:name` stands for one segment."""
    handler: Callable[["Call"], Answer]
    role: int = ANYONE
    only: Generation | None = None
    cache: str = ""
    """The Cache-Control of AUG, unless the answer says otherwise."""
    bucket: str = ""
    """The rate limit it counts for beside the one of all routes."""


@dataclass
class Call:
    """The argument of a handler."""

    world: World
    method: str
    path: str
    parts: dict[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    body: bytes
    address: str = "127.0.0.1"
    account: Account | None = None
    session: LoginSession | None = None
    """The session of AUG that the caller came with."""
    by_token: bool = False
    """True: the caller came with the system access token."""
    request_id: str = ""
    """The number of the request, in a header of its answer and in the log."""
    given_cookies: list[str] = field(default_factory=list)

    @property
    def caller(self) -> Account:
        """The account that calls, on a route that lets nobody else in."""
        assert self.account is not None
        return self.account

    @property
    def cookie(self) -> dict[str, Any]:
        """The content of the presented session cookie of FEB."""
        return dict(self.world.cookies.get(self.cookies.get("session", ""), {}))

    def give_cookie(self, says: dict[str, Any]) -> None:
        """Set another session cookie (FEB). The former stays good for whoever kept it."""
        value = self.world.letters(96)
        self.world.cookies[value] = dict(says)
        when = self.world.clock.now().timestamp() + MONTH_S
        self.given_cookies.append(
            f"session={value}; Path=/; Expires={_http_date(when)}; Max-Age={MONTH_S}; HttpOnly; SameSite=Strict"
        )

    def give_refresh_cookie(self, value: str, age: int) -> None:
        """Set the refresh cookie (AUG); an age of 0 takes it away."""
        when = self.world.clock.now().timestamp() + age if age else 1
        self.given_cookies.append(
            f"new_api_refresh={value}; Path=/api/user/auth; Expires={_http_date(when)}; Max-Age={age}; "
            "HttpOnly; SameSite=Strict"
        )

    def json(self) -> dict[str, Any]:
        """The body as an object; anything else is refused as invalid parameters."""
        value = self.any_json()
        if not isinstance(value, dict):
            raise Refused(failed(self.say("parameters.invalid")))
        return value

    def any_json(self) -> Any:
        """The body as JSON, None if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def say(self, code: str) -> str:
        """A sentence in the language of the person: the saved one, else Accept-Language, else English."""
        saved = self.account.language if self.account else ""
        return sentence(code, preferred(saved, self.headers.get("accept-language", "")))

    def say_chinese(self, code: str) -> str:
        """A sentence that the server has in Chinese alone."""
        return sentence(code, "zh")

    def say_since_august(self, code: str) -> str:
        """A sentence that FEB has in Chinese alone and AUG translates."""
        return self.say_chinese(code) if self.world.is_feb else self.say(code)

    def page(self) -> tuple[int, int]:
        """Number and size of the page that is asked for."""
        size = next((self.query[name] for name in ("page_size", "ps", "size") if name in self.query), "10")
        return max(_whole(self.query.get("p", "1"), 1), 1), min(max(_whole(size, 10), 1), 100)

    def number(self, name: str, default: int = 0) -> int:
        """A whole number of the query."""
        return _whole(self.query.get(name, ""), default)


def _whole(text: str, default: int) -> int:
    try:
        return int(text)
    except ValueError:
        return default


def _http_date(when: float) -> str:
    return formatdate(when, usegmt=True)
