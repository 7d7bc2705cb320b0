"""Whether a request is one of the recorded shapes: route, query keys, credentials, body fields and their types."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from tests.new_api.exchanges import recorded
from tests.new_api.generations import Generation
from tests.new_api.routes import find, rules_of

HEADERS: Final = ("authorization", "new-api-user", "x-auth-session", "x-security-proof")
"""Headers that mean something to the server. Others are the client's own affair."""
CREDENTIALS: Final = {Generation.FEB: ("authorization", "new-api-user"), Generation.AUG: ("authorization",)}

_KEY_FIELDS: Final = {
    "id": "int",
    "name": "str",
    "expired_time": "int",
    "remain_quota": "int",
    "unlimited_quota": "bool",
    "model_limits_enabled": "bool",
    "model_limits": "str",
    "allow_ips": "str",
    "group": "str",
    "cross_group_retry": "bool",
    "status": "int",
}
_SETTINGS: Final = {
    "webhook_url": "str",
    "webhook_secret": "str",
    "notification_email": "str",
    "bark_url": "str",
    "gotify_url": "str",
    "gotify_token": "str",
    "gotify_priority": "int",
}
_TIMES: Final = ("p", "page_size", "start_timestamp", "end_timestamp")
READ_FROM_SOURCE: Final[dict[tuple[str, str], tuple[tuple[str, ...], dict[str, str]]]] = {
    ("PUT", "/api/user/setting"): ((), _SETTINGS),
    ("GET", "/api/log/self"): (("type", *_TIMES, "token_name", "model_name", "group", "request_id"), {}),
    ("GET", "/api/log/self/stat"): (("type", *_TIMES[2:], "token_name", "model_name", "group"), {}),
    ("GET", "/api/data/self"): ((*_TIMES[2:], "default_time"), {}),
    ("GET", "/api/mj/self"): ((*_TIMES, "mj_id"), {}),
    ("GET", "/api/task/self"): ((*_TIMES, "platform", "task_id", "status", "action"), {}),
    ("GET", "/api/user/topup/self"): (("p", "page_size", "keyword"), {}),
    ("POST", "/api/user/topup"): ((), {"key": "str"}),
    ("GET", "/api/token/"): (("page_size",), {}),
    ("GET", "/api/token/search"): (("keyword", "token", "p", "size"), {}),
    ("GET", "/api/token/:id"): ((), {}),
    ("POST", "/api/token/"): ((), {"cross_group_retry": "bool"}),
    ("PUT", "/api/token/"): (("status_only",), _KEY_FIELDS),
    ("DELETE", "/api/token/:id"): ((), {}),
    ("POST", "/api/token/batch"): ((), {"ids": "list"}),
    ("POST", "/api/user/register"): ((), dict.fromkeys(("username", "password", "email", "verification_code"), "str")),
    ("GET", "/api/user/models"): ((), {}),
    ("GET", "/api/user/self/groups"): ((), {}),
    ("GET", "/api/pricing"): ((), {}),
    ("GET", "/api/subscription/plans"): ((), {}),
    ("GET", "/v1/models"): ((), {}),
    ("POST", "/v1/chat/completions"): ((), {"stream": "bool", "temperature": "float", "max_tokens": "int"}),
    ("POST", "/pg/chat/completions"): ((), {"stream": "bool"}),
}
"""Query keys and fields that were read in the builds' source, and not sent to one of them while recording."""


@dataclass
class Shape:
    """The parts of the recorded requests of one route."""

    query: set[str] = field(default_factory=set)
    headers: set[str] = field(default_factory=set)
    fields: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    may_be_empty: bool = False


@dataclass(frozen=True)
class Sent:
    """One request as it arrived."""

    method: str
    path: str
    query: frozenset[str]
    headers: frozenset[str]
    body: bytes


def kind_of(value: Any) -> str:
    """The type of a JSON value; whole and other numbers are told apart only where nothing else was recorded."""
    return "null" if value is None else type(value).__name__


class Shapes:
    """The recorded shapes of one build, by route."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation
        self._rules = rules_of(generation)
        self._shapes: dict[tuple[str, str], Shape] = {}
        for exchange in recorded(generation):
            for request in [*exchange.get("before", ()), exchange.get("request", {})]:
                if "method" in request:
                    self._learn(request, is_accepted=_is_accepted(exchange, request))
        for route, (query, fields) in READ_FROM_SOURCE.items():
            shape = self._shapes.setdefault(route, Shape())
            shape.query |= set(query)
            shape.may_be_empty = shape.may_be_empty or not fields
            for name, kind in fields.items():
                shape.fields[name].add(kind)

    def _learn(self, request: dict[str, Any], *, is_accepted: bool) -> None:
        address = urlsplit(request["path"])
        template = self.template(request["method"], address.path)
        if template is None:
            return
        shape = self._shapes.setdefault((request["method"], template), Shape())
        shape.query |= {name for name, _ in parse_qsl(address.query, keep_blank_values=True)}
        shape.headers |= {name.lower() for name in request.get("headers", {})}
        body = request.get("body")
        shape.may_be_empty = shape.may_be_empty or (body is None and "text" not in request)
        if is_accepted and isinstance(body, dict):
            for name, value in body.items():
                shape.fields[name].add(kind_of(value))

    def template(self, method: str, path: str) -> str | None:
        """The route a path belongs to, None if there is none."""
        rule, _ = find(self._rules, method, path)
        return rule.path if rule else None

    def complaints(self, sent: Sent) -> list[str]:
        """The differences between a request and all recorded ones."""
        template = self.template(sent.method, sent.path)
        shape = self._shapes.get((sent.method, template)) if template else None
        if shape is None:
            return [f"{sent.method} {sent.path}: no such request was recorded of {self._generation.value}"]
        at = f"{sent.method} {template}"
        lines = [f"{at}: query key {name}" for name in sorted(sent.query - shape.query)]
        allowed = shape.headers | set(CREDENTIALS[self._generation])
        lines += [f"{at}: header {name}" for name in sorted(sent.headers - allowed)]
        return lines + [f"{at}: {line}" for line in _body_complaints(sent.body, shape)]


def _body_complaints(body: bytes, shape: Shape) -> list[str]:
    if not body:
        return [] if shape.may_be_empty else ["no body"]
    try:
        value = json.loads(body)
    except ValueError:
        return ["a body that is no JSON"]
    if not isinstance(value, dict):
        return [f"a body that is a {kind_of(value)}"]
    lines = []
    for name, part in value.items():
        known = shape.fields.get(name, set())
        kinds = known | ({"int", "float"} if known & {"int", "float"} else set())
        if kind_of(part) not in kinds:
            lines.append(f"field {name} of type {kind_of(part)}")
    return lines


def _is_accepted(exchange: dict[str, Any], request: dict[str, Any]) -> bool:
    """True unless the server refused it: a field's type is learned from requests that were good."""
    if request is not exchange.get("request"):
        return True
    answer = exchange.get("answer")
    return exchange["status"] == 200 and not (isinstance(answer, dict) and answer.get("success") is False)


@cache
def shapes_of(generation: Generation) -> Shapes:
    """The shapes of a build, read once."""
    return Shapes(generation)


def sent(method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Sent:
    """The parts of a request that have a shape."""
    named = frozenset(name for name in HEADERS if name in headers)
    return Sent(method, path, frozenset(query), named, body)
