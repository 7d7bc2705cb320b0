"""Responses of the model server: the status of a batch, and passing a response on with the gateway's key masked.

A long response is searched and sent in pieces: the search of 64 MiB at once can block the event loop for 0.8 s.
"""

import asyncio
import re
from collections.abc import AsyncIterable, AsyncIterator
from typing import Final

import httpx
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.json_text import leading_members
from gateway.model_server.error_reasons import mask_host, mask_secrets
from gateway.relay.process_client import MAX_INLINE_BYTES
from gateway.relay.response_facts import ResponseFacts, response_facts
from gateway.site_view import SiteView
from store.errors import UpstreamFailed

BATCH_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
PIECE_BYTES: Final = 256 * 1024
_MASK: Final = b"..."


def batch_status(facts: ResponseFacts, site: SiteView) -> tuple[str, str]:
    """Status and id of a batch at the model server. Raises `UpstreamFailed`."""
    status, name = facts.status, facts.id
    if status is None or name is None or not BATCH_ID.fullmatch(name):
        raise UpstreamFailed("The model server's answer was no batch.")
    return mask_secrets(mask_host(status, site.upstream_host), site.upstream_key), name


def batch_in_head(content: bytes | bytearray, site: SiteView) -> tuple[str, str] | None:
    """Status and id of a batch whose response could not be read, from its first `MAX_INLINE_BYTES`.

    Model servers write both first. None if they are not there.
    """
    head = leading_members(content[:MAX_INLINE_BYTES].decode(errors="replace"))
    try:
        return batch_status(response_facts(head, has_completion=False), site)
    except UpstreamFailed:
        return None


async def relay_response(
    content: bytes | bytearray, secret: str, request_id: str, media_type: str = "application/json"
) -> Response:
    """The model server's response, with the gateway's key (`secret`) masked."""
    pieces = await masked_pieces(content, secret.encode())
    headers = {"X-Request-Id": request_id}
    if len(pieces) <= 1:
        return Response(b"".join(pieces), headers=headers, media_type=media_type)
    return _PiecewiseResponse(pieces, headers, media_type)


def other_media_type(answer: httpx.Response, expected: tuple[str, ...]) -> str:
    """The media type of an answer that is not JSON, one of `expected`; empty for JSON."""
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/json":
        return ""
    return media_type if media_type in expected else expected[0]


async def masked_pieces(content: bytes | bytearray, secret: bytes) -> list[bytes]:
    """`content` with each `secret` masked, in pieces of about `PIECE_BYTES`; the event loop runs between two pieces."""
    if len(content) <= PIECE_BYTES:
        return [bytes(content).replace(secret, _MASK) if secret else bytes(content)]
    pieces: list[bytes] = []
    view, rest = memoryview(content), b""
    overlap = max(len(secret) - 1, 0)
    for start in range(0, len(content), PIECE_BYTES):
        if start:
            await asyncio.sleep(0)
        piece = rest + view[start : start + PIECE_BYTES]
        *before, last = piece.split(secret) if secret else [piece]
        # The secret may begin at the end of a piece, so the end is searched again with the next one.
        is_end = start + PIECE_BYTES >= len(content)
        cut = len(last) if is_end else max(len(last) - overlap, 0)
        pieces.append(_MASK.join([*before, last[:cut]]))
        rest = last[cut:]
    return pieces


async def masked_chunks(chunks: AsyncIterable[bytes], secret: bytes) -> AsyncIterator[bytes]:
    """`chunks` with each `secret` masked, also one that lies in two of them."""
    rest, overlap = b"", max(len(secret) - 1, 0)
    async for chunk in chunks:
        *before, last = (rest + chunk).split(secret) if secret else [rest + chunk]
        cut = max(len(last) - overlap, 0)
        piece, rest = _MASK.join([*before, last[:cut]]), last[cut:]
        if piece:
            yield piece
    if rest:
        yield rest


class _PiecewiseResponse(Response):
    def __init__(self, pieces: list[bytes], headers: dict[str, str], media_type: str) -> None:
        length = {"Content-Length": str(sum(map(len, pieces)))}
        super().__init__(headers={**headers, **length}, media_type=media_type)
        self._pieces = pieces

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for piece in self._pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
