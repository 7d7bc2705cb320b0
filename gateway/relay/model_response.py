"""Responses of the model server: parsing them, and passing them on."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from gateway.json_text import loads_lenient
from gateway.model_server.error_reasons import mask_host, mask_secrets
from gateway.relay.body_parser import MAX_INLINE_BYTES
from gateway.site_view import SiteView
from store.errors import UpstreamFailed

BATCH_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")


class ResponseParser:
    """Parses short responses on the event loop, and long ones in a thread."""

    def __init__(self) -> None:
        self._parsing = asyncio.Lock()
        """One thread at a time: several would compete for the GIL with each other and with the event loop."""

    async def parse(self, content: bytes) -> dict[str, Any]:
        """The JSON object in the model server's response. Raises `UpstreamFailed`."""
        if len(content) <= MAX_INLINE_BYTES:
            return parse_document(content)
        async with self._parsing:
            return await asyncio.to_thread(parse_document, content)


def parse_document(content: bytes) -> dict[str, Any]:
    """The JSON object in `content`. Raises `UpstreamFailed`."""
    try:
        document = loads_lenient(content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise UpstreamFailed("The model server's answer was not a JSON object.")
    return document


def batch_status(document: Mapping[str, Any], site: SiteView) -> tuple[str, str]:
    """Status and id of a batch at the model server. Raises `UpstreamFailed`."""
    status, name = document.get("status"), document.get("id")
    if not isinstance(status, str) or not isinstance(name, str) or not BATCH_ID.fullmatch(name):
        raise UpstreamFailed("The model server's answer was no batch.")
    return mask_secrets(mask_host(status, site.upstream_host), site.upstream_key), name


def relay_response(content: bytes, secret: str, request_id: str) -> Response:
    """The model server's response, with the gateway's key (`secret`) masked."""
    known = secret.encode()
    if known and known in content:
        content = content.replace(known, b"...")
    return Response(content, headers={"X-Request-Id": request_id}, media_type="application/json")
