"""The routes of the passkey page: its files, the options for a code, and the browser's answer.

Relying party id and origin come from the administrator's settings; a Host header changes nothing. A challenge is
claimed before its answer is verified, so each challenge is used once. An attempt is counted before its code is looked
up, and the count is undone if the code was right: counted afterwards, a client over the limit would still learn that a
guess was right.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway import webauthn_ceremony
from gateway.client_address import throttle_key
from gateway.json_text import loads
from gateway.pages import FINISH_PATH, OPTIONS_PATH, PAGE_HEADERS, assets
from gateway.problems import headers_of, sentence_of, status_of
from gateway.relying_party import RelyingParty
from gateway.services import Services
from store.errors import GatekeyError, InvalidInput, NotAllowed, PasskeyRefused, PasskeysDisabled, SignInExpired
from store.passkey_ceremonies import Ceremony, Purpose
from store.throttle import PASSKEY_PAGE_BUCKET

_FINISHED_SENTENCES: Final = {
    Purpose.REGISTER: "Your passkey was registered. Go back to the console.",
    Purpose.SIGN_IN: "Your passkey was accepted. Go back to the console.",
    Purpose.PROVE: "Your passkey was accepted. Go back to the console.",
}


def passkey_routes(services: Services) -> list[Route]:
    """The routes. All refuse while passkeys are disabled."""
    page = PasskeyPage(services)
    files = [Route(path, page.file(path), methods=["GET"]) for path in assets()]
    return [
        *files,
        Route(OPTIONS_PATH, _json_handler(page.options), methods=["POST"]),
        Route(FINISH_PATH, _json_handler(page.finish), methods=["POST"]),
    ]


class PasskeyPage:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._passkeys = services.store.passkeys
        self._ceremonies = services.store.passkey_verification
        self._files = assets()

    def file(self, path: str) -> Callable[[Request], Awaitable[Response]]:
        """The handler of one static file."""
        asset = self._files[path]

        async def send(_: Request) -> Response:
            if not await self._services.threads.read(self._passkeys.is_enabled):
                return Response(PasskeysDisabled.sentence, 403, PAGE_HEADERS, media_type="text/plain; charset=utf-8")
            return Response(asset.body, 200, PAGE_HEADERS, media_type=asset.media_type)

        return send

    async def options(self, request: Request) -> dict[str, Any]:
        """The options for the browser. The code stays valid, so the page can be reloaded."""
        party = await self._party(request)
        code = (await _body(request, "code"))["code"]
        async with self._one_try(request):
            ceremony = await self._services.threads.read(lambda: self._ceremonies.look_up(code))
        left = ceremony.expires_at - self._services.store.context.now()
        return {
            "purpose": ceremony.purpose.value,
            "publicKey": _options(party, ceremony),
            "user": ceremony.account_name,
            "expires_in": max(1, int(left.total_seconds())),
        }

    async def finish(self, request: Request) -> dict[str, Any]:
        """Verify the browser's answer, and finish the ceremony that the console started."""
        party = await self._party(request)
        body = await _body(request, "code", "credential")
        async with self._one_try(request):
            ceremony = await self._services.threads.read(lambda: self._ceremonies.claim(body["code"]))
            try:
                await self._services.threads.read(lambda: self._accept(party, ceremony, body["credential"]))
            except GatekeyError as error:
                sentence = sentence_of(error)
                await self._services.threads.read(lambda: self._ceremonies.fail(ceremony, sentence))
                raise
        return {"ok": True, "sentence": _FINISHED_SENTENCES[ceremony.purpose]}

    def _accept(self, party: RelyingParty, ceremony: Ceremony, answer: object) -> None:
        challenge = ceremony.challenge
        if ceremony.purpose is Purpose.REGISTER:
            found = webauthn_ceremony.verify_registration(party, challenge=challenge, answer=answer)
            self._ceremonies.finish_registration(ceremony, found)
            return
        stored = self._passkeys.find(webauthn_ceremony.credential_id_of(answer))
        assertion = webauthn_ceremony.verify_authentication(party, challenge=challenge, answer=answer, stored=stored)
        self._ceremonies.finish_assertion(ceremony, stored, assertion.sign_count)

    async def _party(self, request: Request) -> RelyingParty:
        site = self._services.store.site
        rp_id, origin = await self._services.threads.read(
            lambda: (site.text("passkeys.rp_id"), site.text("passkeys.origin"))
        )
        await self._services.threads.read(self._passkeys.require_enabled)
        if not rp_id or not origin:
            raise PasskeysDisabled("The administrator has not configured where the passkey page is.")
        # A post from a page of another origin is refused, whatever its body says.
        if request.headers.get("origin", origin) != origin:
            raise NotAllowed("This page was opened at another address than the configured one.")
        return RelyingParty(rp_id, origin)

    @asynccontextmanager
    async def _one_try(self, request: Request) -> AsyncIterator[None]:
        """Count one attempt of this client. Only a wrong code or a refused answer stays counted.

        Raises `TooManyAttempts` before the attempt.
        """
        throttles, threads = self._services.store.throttles, self._services.threads
        source = f"passkey page {throttle_key(await self._services.address(request.scope))}"
        tried_at = await threads.read(lambda: throttles.admit(source, among=PASSKEY_PAGE_BUCKET))
        try:
            yield
        except (SignInExpired, PasskeyRefused):
            raise
        except GatekeyError:
            await threads.read(lambda: throttles.refund(source, tried_at=tried_at, among=PASSKEY_PAGE_BUCKET))
            raise
        await threads.read(lambda: throttles.refund(source, tried_at=tried_at, among=PASSKEY_PAGE_BUCKET))


def _options(party: RelyingParty, ceremony: Ceremony) -> dict[str, Any]:
    if ceremony.purpose is Purpose.REGISTER:
        return webauthn_ceremony.registration_options(
            party,
            challenge=ceremony.challenge,
            user_handle=ceremony.user_handle,
            username=ceremony.account_name,
            exclude=ceremony.credential_ids,
        )
    allow = ceremony.credential_ids if ceremony.purpose is Purpose.PROVE else ()
    return webauthn_ceremony.authentication_options(party, challenge=ceremony.challenge, allow=allow)


def _json_handler(handler: Callable[[Request], Awaitable[dict[str, Any]]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return JSONResponse(await handler(request), headers=dict(PAGE_HEADERS))
        except GatekeyError as error:
            error_body = {"title": error.title, "sentence": sentence_of(error)}
            headers = {**PAGE_HEADERS, **headers_of(error)}
            headers.pop("WWW-Authenticate", None)
            return JSONResponse({"error": error_body}, status_of(error), headers)

    return answer


async def _body(request: Request, *names: str) -> dict[str, Any]:
    try:
        body = loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The request is not JSON.") from error
    if not isinstance(body, dict) or not all(name in body for name in names) or not isinstance(body["code"], str):
        raise InvalidInput("The request does not have the expected fields.")
    return body
