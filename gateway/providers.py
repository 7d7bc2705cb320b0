"""Identity providers: their configuration, and requests to them.

A provider is untrusted. Its response is read up to a limit, must be a JSON object, and is shown to a person only
through `sanitize`.
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
"""Bytes of a response that are accepted."""

EXCHANGE_TIMEOUT_S: Final = 15.0
"""Seconds from the first byte sent to the last byte read."""

MAX_URL_CHARACTERS: Final = 2048
"""Longest URL that is accepted from a provider."""

_FAILURES: Final[Mapping[type[Exception], str]] = {
    httpx.TimeoutException: "did not answer in time",
    TimeoutError: "did not answer in time",
    httpx.DecodingError: "sent an answer that could not be read",
    httpx.HTTPError: "could not be reached",
    httpx.InvalidURL: "has an address that cannot be used",
    httpx.CookieConflict: "sent an answer that could not be read",
}
"""The phrase for each transport failure. The first match applies, so subclasses precede their base classes."""


class ProviderKind(StrEnum):
    """The protocol of a provider."""

    OIDC = "oidc"
    GITHUB = "github"


@dataclass(frozen=True, slots=True)
class Provider:
    """One identity provider, as the administrator configured it."""

    slug: str
    """Key of the stored identities; it never changes once an account is bound."""
    name: str
    """The name to show, such as "GitHub"."""
    client_id: str
    issuer: str = ""
    """The OIDC issuer; for GitHub empty, or the URL of a GitHub Enterprise server."""
    kind: ProviderKind = ProviderKind.OIDC
    client_secret: str = field(default="", repr=False)
    """Empty for a public client."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """URLs of a provider. `userinfo` and `jwks` are empty where it has none."""

    issuer: str
    device_authorization: str
    token: str
    userinfo: str = ""
    jwks: str = ""
    algorithms: frozenset[str] = frozenset()
    """Signature algorithms of ID tokens that the provider announces."""
    basic_auth: bool = True
    """True if a client secret is sent as HTTP Basic (RFC 6749, 2.3.1) instead of in the form."""


@dataclass(frozen=True, slots=True)
class ProviderResponse:
    """A provider's JSON response. `repr` shows only the status, because the body may hold a token."""

    status: int
    body: Mapping[str, object] = field(repr=False)

    def text(self, name: str) -> str:
        """The string member `name`, or an empty string."""
        value = self.body.get(name)
        return value if isinstance(value, str) else ""

    def seconds(self, name: str) -> int:
        """The member `name` in whole seconds, or 0 if it is no positive number."""
        value = self.body.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 10**9:
            return 0
        return int(value)

    def texts(self, name: str) -> frozenset[str]:
        """The strings in the list `name`, or none."""
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
) -> ProviderResponse:
    """POST `form`, or GET without one. Redirects are not followed.

    Raises ProviderFailed when there is no response, or it is longer than `MAX_RESPONSE_BYTES` or not a JSON object. An
    AddressRefused raised by the client passes through.
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
    return ProviderResponse(status, _json_object(raw, provider, status))


def canonical_url(provider: Provider, address: str, *, like: str) -> str:
    """`address` in canonical form, host in punycode, safe to show and to open.

    It must be http(s) without user information, and https if `like` is. Raises ProviderFailed.
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
    """The error for a person: the provider's configured name, and what failed."""
    return ProviderFailed(f"{provider.name} {what}. Try again in a moment, or ask the administrator.")


def _failure_phrase(error: Exception) -> str:
    return next(name for kind, name in _FAILURES.items() if isinstance(error, kind))


async def _read(response: httpx.Response, provider: Provider) -> bytes:
    body = bytearray()
    # Raw, not decoded: a small compressed response must not expand into a large one.
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
