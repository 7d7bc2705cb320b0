"""GitHub's variant of the device flow: fixed URLs, and an account from its API instead of an ID token.

Source: docs.github.com, "Authorizing OAuth apps", section "Device flow". GitHub answers an error with status 200 and an
`error` member. It has no discovery document. The numeric `id` of the account is the subject: a login can be released
and taken by another person.
"""

from typing import Final

import httpx

from gateway.providers import Endpoints, Provider, provider_failure, request_json
from store.errors import IdentityRefused
from store.text import sanitize

GITHUB_URL: Final = "https://github.com"
GITHUB_API_URL: Final = "https://api.github.com"


def github_endpoints(provider: Provider) -> Endpoints:
    """The endpoints of GitHub, or of the GitHub Enterprise server at `provider.issuer`."""
    server = provider.issuer.rstrip("/") or GITHUB_URL
    return Endpoints(
        issuer=server,
        device_authorization=f"{server}/login/device/code",
        token=f"{server}/login/oauth/access_token",
        userinfo=f"{GITHUB_API_URL}/user" if server == GITHUB_URL else f"{server}/api/v3/user",
        basic_auth=False,
    )


async def github_account(
    client: httpx.AsyncClient, provider: Provider, endpoints: Endpoints, access_token: str
) -> tuple[str, str]:
    """The account behind `access_token`: its numeric id as text, and its login to show.

    Raises ProviderFailed when GitHub does not answer, IdentityRefused when the answer names no account.
    """
    answer = await request_json(client, provider, endpoints.userinfo, bearer=access_token)
    if answer.status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise IdentityRefused
    if answer.status != httpx.codes.OK:
        raise provider_failure(provider, f"answered with status {answer.status}")
    number = answer.body.get("id")
    if isinstance(number, bool) or not isinstance(number, int) or number <= 0:
        raise IdentityRefused
    return str(number), sanitize(answer.text("login"), 128) or str(number)
