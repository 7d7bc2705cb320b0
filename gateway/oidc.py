"""OpenID Connect: discovery of a provider's endpoints, and the account behind a token response.

OpenID Connect Discovery 1.0 and Core 1.0.
"""

from datetime import datetime

import httpx

from gateway.id_token import ALGORITHMS, display_name, verify_id_token
from gateway.providers import Endpoints, Provider, ProviderResponse, canonical_url, provider_failure, request_json
from store.errors import IdentityRefused, ProviderFailed


async def discover(client: httpx.AsyncClient, provider: Provider) -> Endpoints:
    """The provider's endpoints from its discovery document (Discovery 1.0, section 4).

    Raises ProviderFailed when there is no usable document, when its issuer differs (4.3), and when the provider has no
    device authorization endpoint (RFC 8628, section 4) or no accepted signature algorithm.
    """
    issuer = provider.issuer.rstrip("/")
    answer = await request_json(client, provider, f"{issuer}/.well-known/openid-configuration")
    if answer.status != httpx.codes.OK:
        raise provider_failure(provider, f"answered with status {answer.status}")
    if answer.text("issuer").rstrip("/") != issuer:
        raise provider_failure(provider, "names another issuer than the one configured")
    if not answer.text("device_authorization_endpoint"):
        raise provider_failure(provider, "does not offer sign-in from a terminal")
    algorithms = answer.texts("id_token_signing_alg_values_supported") or ALGORITHMS
    if not algorithms & ALGORITHMS:
        raise provider_failure(provider, "signs with an algorithm that is not accepted")
    methods = answer.texts("token_endpoint_auth_methods_supported")

    def endpoint(name: str) -> str:
        return canonical_url(provider, answer.text(name), like=provider.issuer)

    return Endpoints(
        issuer=answer.text("issuer"),
        device_authorization=endpoint("device_authorization_endpoint"),
        token=endpoint("token_endpoint"),
        userinfo=endpoint("userinfo_endpoint") if answer.text("userinfo_endpoint") else "",
        jwks=endpoint("jwks_uri"),
        algorithms=algorithms,
        # Discovery 1.0, section 3: client_secret_basic is the default when nothing is listed.
        basic_auth=not methods or "client_secret_basic" in methods,
    )


async def oidc_account(
    client: httpx.AsyncClient, provider: Provider, endpoints: Endpoints, grant: ProviderResponse, now: datetime
) -> tuple[str, str]:
    """The subject of the verified ID token in `grant`, and a name to show.

    Raises ProviderFailed when the keys cannot be fetched, IdentityRefused when the token fails verification.
    """
    keys = await request_json(client, provider, endpoints.jwks)
    if keys.status != httpx.codes.OK:
        raise provider_failure(provider, f"answered with status {keys.status}")
    verified = verify_id_token(
        grant.text("id_token"),
        keys.body,
        issuer=endpoints.issuer,
        client_id=provider.client_id,
        now=now,
        algorithms=endpoints.algorithms,
    )
    name = verified.display
    if not name and endpoints.userinfo:
        name = await _name_from_userinfo(client, provider, endpoints, grant, verified.subject)
    return verified.subject, name or verified.subject


async def _name_from_userinfo(
    client: httpx.AsyncClient, provider: Provider, endpoints: Endpoints, grant: ProviderResponse, subject: str
) -> str:
    """The name to show, or an empty one: a failed request for it must not fail the sign-in."""
    try:
        answer = await request_json(client, provider, endpoints.userinfo, bearer=grant.text("access_token"))
    except ProviderFailed:
        return ""
    if answer.status != httpx.codes.OK:
        return ""
    # Core 1.0, 5.3.2: an answer about somebody else must not be used.
    if answer.text("sub") != subject:
        raise IdentityRefused
    return display_name(answer.body)
