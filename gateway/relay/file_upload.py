"""The upload of a file. It is passed on as it comes and needs no memory. The model server alone reads its form."""

import re
from collections.abc import AsyncIterator
from email.message import Message
from typing import Any, Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from gateway.model_server.client import read_body
from gateway.problems import OpenAiProblem
from gateway.relay.endpoints import BATCHES
from gateway.relay.file_documents import file_document, file_response
from gateway.relay.file_requests import FILES_PATH, MAX_ANSWER_BYTES, FileRequests, succeeded
from gateway.relay.ledger import Caller
from gateway.relay.model_response import BATCH_ID
from gateway.relay.relay import Relay
from gateway.relay.response_facts import parse_object
from gateway.site_view import SiteView
from store.errors import GatekeyError, QuotaExceeded, UpstreamFailed
from store.values.relay_files import RelayFile
from store.values.usage import FILE_MODEL, Kind

_BOUNDARY: Final = re.compile(r"[A-Za-z0-9'()+_,./:=? -]{0,69}[A-Za-z0-9'()+_,./:=?-]")
_MIB: Final = 1024 * 1024


class FileUpload:
    """`POST /v1/files`."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._store = relay.services.store
        self._requests = FileRequests(relay)

    async def upload(self, request: Request) -> Response:
        """Pass a form on to the model server, and note whose the file is.

        Raises `OpenAiProblem` 413 or 415, `QuotaExceeded` for an account without money, `LimitReached`, and what
        `accept_bodiless` raises.
        """
        relay = self._relay
        caller, site = await relay.callers.accept_bodiless(request, BATCHES.model)
        async with self._requests.failures_logged(caller):
            with relay.concurrency.slot(caller.holder.account_id):
                content = await self._send_on(request, caller, site)
                file = await self._register(caller, site, _uploaded(content))
        return file_response(file_document(file), caller)

    async def _send_on(self, request: Request, caller: Caller, site: SiteView) -> bytearray:
        """The model server's answer to the form in the body of `request`."""
        media_type = request.headers.get("content-type", "")
        if not _is_form(media_type):
            raise OpenAiProblem(415, "Send the file as multipart/form-data, with its boundary.")
        if "content-encoding" in request.headers:
            raise OpenAiProblem(415, "Send the body as it is, without a content encoding.")
        account_id, limit = caller.holder.account_id, site.file_mib * _MIB
        announced = request.headers.get("content-length", "")
        is_number = announced.isascii() and announced.isdigit() and len(announced) < 20
        length = int(announced) if is_number and "transfer-encoding" not in request.headers else None
        if length is not None and length > limit:
            raise _too_long(site)
        if caller.holder.free_micro_usd + caller.holder.held_micro_usd < 1:
            raise QuotaExceeded
        await self._relay.services.threads.read(lambda: self._store.relay_files.check_room(account_id))
        answer = await self._relay.model_server.send_stream(
            site,
            FILES_PATH,
            _limited(request, limit, site),
            media_type=media_type,
            length=length,
            request_id=caller.request_id,
        )
        await succeeded(answer, site)
        try:
            return await read_body(answer, MAX_ANSWER_BYTES)
        finally:
            await answer.aclose()

    async def _register(self, caller: Caller, site: SiteView, found: dict[str, Any]) -> RelayFile:
        """Note whose the file is, and log the upload. A file that cannot be noted is deleted at the model server."""
        account_id = caller.holder.account_id

        def register(tx: Connection) -> RelayFile:
            file = self._store.relay_files.register(tx, account_id, found["id"], **_facts(found))
            detail = f"{file.filename}, {file.size_bytes:,} bytes, {file.purpose}: {file.id}"
            self._store.usage.append(
                tx, account_id, caller.entry(Kind.TASK, FILE_MODEL, status="uploaded", detail=detail)
            )
            return file

        try:
            return await self._relay.services.threads.write(register)
        except GatekeyError:
            # Nobody could reach it any more. If it is another account's after all, it is not this upload.
            if not await self._relay.services.threads.read(lambda: self._store.relay_files.is_known(found["id"])):
                await self._requests.ask(site, "DELETE", f"{FILES_PATH}/{found['id']}", caller)
            raise


def _is_form(media_type: str) -> bool:
    """True for a form whose parts can be told apart (RFC 2046, 5.1.1)."""
    header = Message()
    header["Content-Type"] = media_type
    boundary = header.get_boundary() or ""
    return (
        media_type.isascii()
        and header.get_content_type() == "multipart/form-data"
        and _BOUNDARY.fullmatch(boundary) is not None
    )


def _uploaded(content: bytearray) -> dict[str, Any]:
    """The file in the model server's answer. Raises `UpstreamFailed`."""
    found = parse_object(content)
    name = found.get("id")
    if not isinstance(name, str) or not BATCH_ID.fullmatch(name):
        raise UpstreamFailed("The model server's answer was no file.")
    return found


def _facts(found: dict[str, Any]) -> dict[str, Any]:
    size, filename, purpose = (found.get(name) for name in ("bytes", "filename", "purpose"))
    return {
        "filename": filename if isinstance(filename, str) else "",
        "purpose": purpose if isinstance(purpose, str) else "",
        "size_bytes": size if type(size) is int else 0,
    }


async def _limited(request: Request, limit: int, site: SiteView) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_long(site)
        if chunk:
            yield chunk


def _too_long(site: SiteView) -> OpenAiProblem:
    return OpenAiProblem(413, f"A file has at most {site.file_mib} MiB here.", headers={"Connection": "close"})
