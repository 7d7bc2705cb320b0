"""Reads request bodies: short ones before authentication, long ones only for accounts that could pay for a call."""

from contextlib import ExitStack
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from gateway.body_limit import MAX_RELAY_BODY_BYTES
from gateway.problems import OpenAiProblem
from gateway.relay.body_memory import BodyMemory
from gateway.relay.callers import RelayRequest
from gateway.services import Services
from store.api_key_use import KeyHolder
from store.errors import QuotaExceeded
from store.values.billing import QuotaState

_MAX_ANONYMOUS_BYTES: Final = 64 * 1024
"""Bytes of a body that are read before the sender is authenticated."""


class BodyReader:
    """Reads bodies within the limits on memory. One per application."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._memory = BodyMemory()

    async def read(self, incoming: RelayRequest, reserved: ExitStack) -> bytes | bytearray:
        """The body. Leaving `reserved` releases the memory of a long one.

        Raises `OpenAiProblem` 415, 429 or 503, and for a long body `InvalidApiKey`, the errors of
        `ApiKeyUse.check`, and `QuotaExceeded`.
        """
        request, site = incoming.request, incoming.site
        headers = dict(request.scope["headers"])
        if b"content-encoding" in headers:
            raise OpenAiProblem(415, "Send the body as it is, without a content encoding.")
        announced = headers.get(b"content-length", b"")
        # RFC 9112, 6.3: Transfer-Encoding overrides Content-Length.
        is_announced = announced.isdigit() and b"transfer-encoding" not in headers
        if is_announced and int(announced) <= _MAX_ANONYMOUS_BYTES:
            return await _whole_body(request.receive)
        holder, quota = await self._services.threads.read(lambda: self._holder_and_quota(incoming))
        if quota.remaining_micro_usd < 1:
            raise QuotaExceeded
        reservation = reserved.enter_context(self._memory.of(holder.account_id, site))
        reservation.announce(min(int(announced), MAX_RELAY_BODY_BYTES) if is_announced else 0)
        body = bytearray()
        async for chunk in request.stream():
            reservation.grow_to(len(body) + len(chunk))
            body += chunk
        return body

    def _holder_and_quota(self, incoming: RelayRequest) -> tuple[KeyHolder, QuotaState]:
        store = self._services.store
        with store.database.read() as tx:
            holder = incoming.credential.holder(tx)
            store.api_keys.check(holder, incoming.address)
            return holder, store.quota.state_of(tx, holder.account_id)


async def _whole_body(receive: Receive) -> bytes:
    """A short body. `Request.body` reads it through two generators. Raises `ClientDisconnect`."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        if message["type"] == "http.request":
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                return b"".join(parts)
