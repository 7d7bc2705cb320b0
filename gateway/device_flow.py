"""Sign-in at an identity provider from a terminal: the device authorization grant (RFC 8628).

The console shows an address and a short code, the person opens the address in any browser and enters the code, and the
console polls. The device code and the tokens stay inside `DeviceFlow`: they are never shown, logged or stored.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

import httpx

from gateway.github import github_account, github_endpoints
from gateway.oidc import discover, oidc_account
from gateway.providers import (
    Endpoints,
    Provider,
    ProviderKind,
    ProviderResponse,
    canonical_url,
    provider_failure,
    request_json,
)
from store.clock import Clock
from store.errors import GatekeyError, IdentityRefused, ProviderFailed, SignInExpired, StepMissing
from store.text import is_sanitized

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:device_code"

DEFAULT_INTERVAL_S: Final = 5
"""Seconds between polls when the provider names none (RFC 8628, 3.2)."""

SLOW_DOWN_STEP_S: Final = 5
"""Seconds added to the interval at each `slow_down` (3.5)."""

MAX_BACKOFF_S: Final = 60
"""Seconds: the longest pause between two tries while the provider cannot be reached."""

MAX_CODE_LIFETIME: Final = timedelta(hours=1)
"""Longest wait for one code, whatever lifetime the provider names."""

MAX_USER_CODE_CHARACTERS: Final = 64

Sleep = Callable[[float], Awaitable[object]]

_TERMINAL_ERRORS: Final[Mapping[str, Callable[[Provider], GatekeyError]]] = {
    "access_denied": lambda provider: IdentityRefused(f"The request was declined at {provider.name}."),
    "expired_token": lambda _: SignInExpired(),
    "invalid_grant": lambda _: SignInExpired(),
    "incorrect_device_code": lambda _: SignInExpired(),
    "invalid_client": lambda provider: provider_failure(provider, "does not accept the configured client"),
    "incorrect_client_credentials": lambda provider: provider_failure(
        provider, "does not accept the configured client"
    ),
    "unauthorized_client": lambda provider: provider_failure(
        provider, "does not let this client sign in from a terminal"
    ),
    "unsupported_grant_type": lambda provider: provider_failure(provider, "does not offer sign-in from a terminal"),
    "device_flow_disabled": lambda provider: provider_failure(
        provider, "has the device flow switched off for this client"
    ),
    "invalid_scope": lambda provider: provider_failure(provider, "does not grant the standard scopes to this client"),
}
"""Error codes of RFC 6749 5.2, RFC 8628 3.5 and GitHub that end a flow, and the error for each."""


@dataclass(frozen=True, slots=True)
class Identity:
    """An account at a provider: `provider` and `subject` are the key, `display` is only shown."""

    provider: str
    subject: str
    display: str


@dataclass(frozen=True, slots=True)
class DeviceAuthorization:
    """The code and the address to show to the person. Every text is safe for a terminal."""

    user_code: str
    verification_uri: str
    verification_uri_complete: str
    """The address with the code in it, for a QR code; empty if the provider has none, as GitHub."""
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Pending:
    """The person has not decided yet."""

    reachable: bool = True
    """False while the provider does not answer; the flow continues."""


class DeviceFlow:
    """One sign-in at one provider. Not reusable: start again with a new one.

        flow = DeviceFlow(client, provider, clock)
        shown = await flow.start()
        outcome = await flow.poll()  # again while it is `Pending`

    `poll` is cancelled like any coroutine. `sleep` is asyncio's, or a test's own.
    """

    def __init__(
        self, client: httpx.AsyncClient, provider: Provider, clock: Clock, *, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._client = client
        self._provider = provider
        self._clock = clock
        self._sleep = sleep
        self._endpoints: Endpoints | None = None
        self._authorization: DeviceAuthorization | None = None
        self._device_code = ""
        self._grant: ProviderResponse | None = None
        self._identity: Identity | None = None
        self._interval = DEFAULT_INTERVAL_S
        self._failures = 0

    async def start(self) -> DeviceAuthorization:
        """Request a code from the provider (RFC 8628, 3.1).

        Raises ProviderFailed when the provider cannot be reached, does not support the flow, or sends an invalid
        answer.
        """
        provider = self._provider
        github = provider.kind is ProviderKind.GITHUB
        endpoints = github_endpoints(provider) if github else await discover(self._client, provider)
        form = {"client_id": provider.client_id}
        if not github:
            form["scope"] = "openid profile"
        answer = await self._ask(endpoints, endpoints.device_authorization, form)
        if answer.text("error"):
            raise _terminal_error(provider, answer)
        device_code, user_code = answer.text("device_code"), answer.text("user_code").strip()
        lifetime = answer.seconds("expires_in")
        if answer.status != httpx.codes.OK or not device_code or not lifetime:
            raise provider_failure(provider, f"sent no code (status {answer.status})")
        if not user_code or len(user_code) > MAX_USER_CODE_CHARACTERS or not is_sanitized(user_code):
            raise provider_failure(provider, "sent a code that cannot be shown")
        # GitHub and drafts of the RFC name verification_uri verification_url.
        address = answer.text("verification_uri") or answer.text("verification_url")
        uri = canonical_url(provider, address, like=endpoints.issuer)
        complete = answer.text("verification_uri_complete")
        self._interval = answer.seconds("interval") or DEFAULT_INTERVAL_S
        self._device_code = device_code
        self._endpoints = endpoints
        self._authorization = DeviceAuthorization(
            user_code=user_code,
            verification_uri=uri,
            verification_uri_complete=complete and canonical_url(provider, complete, like=endpoints.issuer),
            expires_at=self._clock.now() + min(timedelta(seconds=lifetime), MAX_CODE_LIFETIME),
        )
        return self._authorization

    async def poll(self) -> Pending | Identity:
        """Wait for the interval, then poll once (RFC 8628, 3.4 and 3.5).

        While the provider does not answer, or sends an invalid answer, the flow stays pending with a growing pause.
        Raises SignInExpired when the code expires, IdentityRefused when the person declined or the answer could not be
        verified, ProviderFailed when the provider refuses this client or stayed unreachable until the code expired. An
        error ends the flow.
        """
        if self._identity is not None:
            return self._identity
        if self._authorization is None or self._endpoints is None:
            raise StepMissing
        if not self._device_code:
            raise SignInExpired
        await self._sleep(self._pause(self._authorization))
        if self._clock.now() >= self._authorization.expires_at:
            self._forget()
            raise provider_failure(self._provider, "could not be reached") if self._failures else SignInExpired()
        try:
            return await self._ask_once(self._endpoints)
        except GatekeyError:
            self._forget()
            raise

    async def _ask_once(self, endpoints: Endpoints) -> Pending | Identity:
        try:
            # The code can be redeemed once. If a later step fails, only that step is retried.
            answer = self._grant or await self._redeem(endpoints)
            if answer.text("access_token"):
                self._grant = answer
                self._identity = await self._identify(answer, endpoints)
        except ProviderFailed:
            self._failures += 1
            return Pending(reachable=False)
        self._failures = 0
        if self._identity is not None:
            self._forget()
            return self._identity
        if answer.text("error") == "slow_down":
            self._interval = max(self._interval + SLOW_DOWN_STEP_S, answer.seconds("interval"))
        elif answer.text("error") != "authorization_pending":
            raise _terminal_error(self._provider, answer)
        return Pending()

    async def _redeem(self, endpoints: Endpoints) -> ProviderResponse:
        form = {
            "grant_type": GRANT_TYPE,
            "device_code": self._device_code,
            "client_id": self._provider.client_id,
        }
        return await self._ask(endpoints, endpoints.token, form)

    async def _identify(self, grant: ProviderResponse, endpoints: Endpoints) -> Identity:
        provider, token = self._provider, grant.text("access_token")
        if not token.isascii() or not is_sanitized(token):
            raise IdentityRefused
        if provider.kind is ProviderKind.GITHUB:
            account = await github_account(self._client, provider, endpoints, token)
        else:
            account = await oidc_account(self._client, provider, endpoints, grant, self._clock.now())
        return Identity(provider.slug, *account)

    async def _ask(self, endpoints: Endpoints, url: str, form: dict[str, str]) -> ProviderResponse:
        secret, basic = self._provider.client_secret, None
        if secret and endpoints.basic_auth:
            # RFC 6749, 2.3.1: both halves are form-encoded before they are joined.
            basic = httpx.BasicAuth(quote(self._provider.client_id, safe=""), quote(secret, safe=""))
        elif secret:
            form = {**form, "client_secret": secret}
        answer = await request_json(self._client, self._provider, url, form, basic=basic)
        # A server error is a reason to poll again, whatever the body says.
        if answer.status >= httpx.codes.INTERNAL_SERVER_ERROR or answer.status == httpx.codes.TOO_MANY_REQUESTS:
            raise provider_failure(self._provider, f"answered with status {answer.status}")
        return answer

    def _pause(self, shown: DeviceAuthorization) -> float:
        """Seconds before the next poll: the interval, doubled for each failure, at most until the code expires."""
        backoff = max(self._interval, min(self._interval * 2 ** min(self._failures, 10), MAX_BACKOFF_S))
        left = (shown.expires_at - self._clock.now()).total_seconds()
        return max(0.0, min(float(backoff), left))

    def _forget(self) -> None:
        self._device_code, self._grant = "", None


def _terminal_error(provider: Provider, answer: ProviderResponse) -> GatekeyError:
    """The error for a provider's error code. An unknown code is not quoted."""
    ending = _TERMINAL_ERRORS.get(answer.text("error"))
    return ending(provider) if ending else provider_failure(provider, f"refused the request (status {answer.status})")
