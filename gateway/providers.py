"""Identity providers: what the administrator configured, and one bounded way to ask them.

A provider is a stranger on the network. Whatever it answers is read up to a limit, must be a JSON object, and
is never repeated to a person except through `sanitize`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import httpx

from gateway.json_text import loads_lenient
from store.errors import ProviderFailed

MAX_RESPONSE_BYTES: Final = 256 * 1024
"""The longest answer read from a provider, in bytes."""

EXCHANGE_TIMEOUT_S: Final = 15.0
"""How long one exchange may take from the first byte sent to the last byte read."""

MAX_URL_CHARACTERS: Final = 2048
"""The longest address accepted from a provider, in characters."""

_FAILURES: Final[Mapping[type[Exception], str]] = {
    httpx.TimeoutException: "did not answer in time",
    TimeoutError: "did not answer in time",
    httpx.DecodingError: "sent an answer that could not be read",
    httpx.HTTPError: "could not be reached",
    httpx.InvalidURL: "has an address that cannot be used",
    httpx.CookieConflict: "sent an answer that could not be read",
}
"""What each transport failure is called. The first match wins, so subclasses stand before their parents."""


class ProviderKind(StrEnum):
    """The dialect a provider speaks."""

    OIDC = "oidc"
    GITHUB = "github"


@dataclass(frozen=True, slots=True)
class Provider:
    """One identity provider, as the administrator configured it."""

    slug: str
    """The key under which identities are stored; it never changes once something is bound."""
    name: str
    """What a person reads, such as "GitHub"."""
    client_id: str
    issuer: str = ""
    """The OIDC issuer; for GitHub empty, or the address of a GitHub Enterprise server."""
    kind: ProviderKind = ProviderKind.OIDC
    client_secret: str = field(default="", repr=False)
    """Empty for a public client."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a provider takes each question. `userinfo` and `jwks` are empty where the dialect has none."""

    issuer: str
    device_authorization: str
    token: str
    userinfo: str = ""
    jwks: str = ""
    algorithms: frozenset[str] = frozenset()
    """The signature algorithms the provider says it uses for ID tokens."""
    basic_auth: bool = True
    """Whether a client secret travels as HTTP Basic (RFC 6749, 2.3.1) rather than in the form."""


@dataclass(frozen=True, slots=True)
class JsonResponse:
    """A provider's JSON answer. Its body may hold a token, so `repr` shows the status only."""

    status: int
    body: Mapping[str, object] = field(repr=False)

    def text(self, name: str) -> str:
        """The member `name` if it is a text, else the empty text."""
        value = self.body.get(name)
        return value if isinstance(value, str) else ""

    def seconds(self, name: str) -> int:
        """The member `name` if it is a positive number, in whole seconds, else 0."""
        value = self.body.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 10**9:
            return 0
        return int(value)

    def texts(self, name: str) -> frozenset[str]:
        """The texts in the list `name`, or none."""
        value = self.body.get(name)
        return frozenset(item for item in value if isinstance(item, str)) if isinstance(value, list) else frozenset()


async def request_json(
    client: httpx.AsyncClient,
    provider: Provider,
    url: str,
    form: Mapping[str, str] | None = None,
    *,
    bearer: str = "",
    basic: httpx.BasicAuth | None = None,
) -> JsonResponse:
    """One exchange: POST of `form`, or GET without one. Redirects are not followed.

    Raises ProviderFailed when there is no answer, or it is longer than `MAX_RESPONSE_BYTES` or not a JSON object.
    An AddressRefused raised by the client passes through.
    """
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    if bearer:
        headers["Authorization"] = f"Bearer {bearer}"
    try:
        async with (
            asyncio.timeout(EXCHANGE_TIMEOUT_S),
            client.stream(
                "GET" if form is None else "POST",
                url,
                data=None if form is None else dict(form),
                headers=headers,
                auth=basic,
                follow_redirects=False,
            ) as response,
        ):
            status, raw = response.status_code, await _read(response, provider)
    except tuple(_FAILURES) as error:
        raise provider_failure(provider, _failure_phrase(error)) from error
    return JsonResponse(status, _json_object(raw, provider, status))


def canonical_url(provider: Provider, address: str, *, like: str) -> str:
    """`address` in its canonical form, host in punycode, safe to show and to open.

    It must be http(s) without a user part, and not weaker than `like`: an https provider sends nobody to
    http. Raises ProviderFailed.
    """
    if len(address) > MAX_URL_CHARACTERS:
        raise provider_failure(provider, "sent an address that cannot be used")
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise provider_failure(provider, "sent an address that cannot be used") from error
    allowed = ("https",) if like.startswith("https:") else ("https", "http")
    if url.scheme not in allowed or not url.raw_host or url.userinfo:
        raise provider_failure(provider, "sent an address that cannot be used")
    return str(url)


def provider_failure(provider: Provider, what: str) -> ProviderFailed:
    """The error a person reads: the provider's configured name, and what it did."""
    return ProviderFailed(f"{provider.name} {what}. Try again in a moment, or ask the administrator.")


def _failure_phrase(error: Exception) -> str:
    return next(name for kind, name in _FAILURES.items() if isinstance(error, kind))


async def _read(response: httpx.Response, provider: Provider) -> bytes:
    body = bytearray()
    # Raw, not decoded: a small compressed answer must not become a large one.
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_RESPONSE_BYTES:
            raise provider_failure(provider, "sent an answer that is too long")
    return bytes(body)


def _json_object(raw: bytes, provider: Provider, status: int) -> Mapping[str, object]:
    try:
        body: object = loads_lenient(raw)
    except (ValueError, RecursionError) as error:
        raise provider_failure(provider, f"sent no JSON (status {status})") from error
    if not isinstance(body, dict):
        raise provider_failure(provider, f"sent no JSON object (status {status})")
    return body
