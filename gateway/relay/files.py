"""Files for batches. They lie at the model server, and all accounts share the gateway's key there: an account reaches
only the files that the store attributes to it.

An upload is passed on as it comes, so it needs no memory, and the model server alone reads its form. It costs nothing,
and is logged as a task, as is a deletion. Files serve batches alone: a key that may call some models only needs `batch`
among them for each of these requests.
"""

import re
from collections.abc import AsyncIterator
from contextlib import ExitStack
from email.message import Message
from typing import Any, Final

import httpx
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from gateway.model_server.client import body_chunks, connection_problem, read_body, response_problem
from gateway.network_errors import NETWORK_ERRORS
from gateway.problems import OpenAiProblem, problem_code
from gateway.relay.ledger import Caller
from gateway.relay.model_response import BATCH_ID, masked_chunks, relay_response
from gateway.relay.relay import Relay
from gateway.relay.request import BATCHES
from gateway.relay.response_facts import parse_object
from gateway.site_view import SiteView
from store.errors import GatekeyError, QuotaExceeded, UpstreamFailed
from store.relay_files import MAX_PAGE_SIZE
from store.text import is_sanitized
from store.values.relay_files import RelayFile
from store.values.usage import FILE_MODEL, Kind

FILES_PATH: Final = "/files"
PURPOSE_OF_OUTPUT: Final = "batch_output"
_BOUNDARY: Final = re.compile(r"[A-Za-z0-9'()+_,./:=? -]{0,69}[A-Za-z0-9'()+_,./:=?-]")
_MIB: Final = 1024 * 1024
_MAX_ANSWER_BYTES: Final = 64 * 1024
_CLIENT_STATUSES: Final = (400, 404, 409, 413, 415, 422, 429)


class Files:
    """`/v1/files`: upload, list, read, delete, content."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._store = relay.services.store

    async def upload(self, request: Request) -> Response:
        """Pass a form on to the model server, and note whose the file is.

        Raises `OpenAiProblem` 413 or 415, `QuotaExceeded` for an account without money, `LimitReached`, and what
        `accept_bodiless` raises.
        """
        relay = self._relay
        caller, site = await relay.callers.accept_bodiless(request, BATCHES.model)
        try:
            with relay.concurrency.slot(caller.holder.account_id):
                content = await self._send_on(request, caller, site)
                found = _uploaded(content)
                file = await self._register(caller, site, found)
        except GatekeyError as error:
            await relay.ledger.log_refusal(caller, FILE_MODEL, error, problem_code(error))
            raise
        return _answer(_document(file), caller)

    async def list_all(self, request: Request) -> Response:
        """The account's files, newest first. Raises `OpenAiProblem` 400 for a parameter that does not fit."""
        caller, _ = await self._relay.callers.accept_bodiless(request, BATCHES.model)
        query = request.query_params
        limit, order = query.get("limit", str(MAX_PAGE_SIZE)), query.get("order", "desc")
        if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit[:9]) <= 10_000:
            raise OpenAiProblem(400, "limit is a whole number from 1 to 10000.", param="limit")
        if order not in ("asc", "desc"):
            raise OpenAiProblem(400, "order is asc or desc.", param="order")
        after, purpose = query.get("after"), query.get("purpose")

        def read() -> tuple[list[RelayFile], bool]:
            if purpose is not None and not is_sanitized(purpose):
                return [], False  # no file has such a purpose, and PostgreSQL refuses a NUL
            with self._store.database.read() as tx:
                page = self._store.relay_files.page(
                    tx,
                    caller.holder.account_id,
                    after=_known_id(after) if after is not None else None,
                    purpose=purpose,
                    ascending=order == "asc",
                    limit=min(int(limit[:9]), MAX_PAGE_SIZE),
                )
                return list(page.files), page.has_more

        files, has_more = await self._relay.services.threads.read(read)
        return _answer(
            {
                "object": "list",
                "data": [_document(file) for file in files],
                "first_id": files[0].id if files else None,
                "last_id": files[-1].id if files else None,
                "has_more": has_more,
            },
            caller,
        )

    async def read(self, request: Request) -> Response:
        """One file, as the model server describes it now. Raises `OpenAiProblem` 404 for another account's."""
        caller, site, name = await self._own(request)
        content = await self._ask(site, "GET", f"{FILES_PATH}/{name}", caller)
        return await relay_response(content, site.upstream_key, caller.request_id)

    async def delete(self, request: Request) -> Response:
        """Delete a file at the model server. One that is not there any more is forgotten. Raises like `read`."""
        caller, site, name = await self._own(request)
        try:
            await self._ask(site, "DELETE", f"{FILES_PATH}/{name}", caller)
        except OpenAiProblem as error:
            if error.status != 404:
                raise
        account_id = caller.holder.account_id

        def forget(tx: Connection) -> None:
            self._store.relay_files.forget(tx, account_id, name)
            self._store.usage.append(tx, account_id, caller.entry(Kind.TASK, FILE_MODEL, status="deleted", detail=name))

        await self._relay.services.threads.write(forget)
        return _answer({"id": name, "object": "file", "deleted": True}, caller)

    async def content(self, request: Request) -> Response:
        """The content of a file, passed on as it comes. Raises like `read`."""
        caller, site, name = await self._own(request)
        with ExitStack() as slot:
            slot.enter_context(self._relay.concurrency.slot(caller.holder.account_id))
            path = f"{FILES_PATH}/{name}/content"
            answer = await self._relay.model_server.send(site, "GET", path, request_id=caller.request_id)
            if not answer.is_success:
                try:
                    raise await response_problem(answer, site, client_statuses=_CLIENT_STATUSES)
                finally:
                    await answer.aclose()
            headers = {"X-Request-Id": caller.request_id, "X-Content-Type-Options": "nosniff"}
            pieces = _pieces(answer, site.upstream_key.encode(), slot.pop_all())
            return StreamingResponse(pieces, headers=headers, media_type="application/octet-stream")

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
        try:
            if not answer.is_success:
                raise await response_problem(answer, site, client_statuses=_CLIENT_STATUSES)
            return await read_body(answer, _MAX_ANSWER_BYTES)
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
                await self._ask(site, "DELETE", f"{FILES_PATH}/{found['id']}", caller)
            raise

    async def _own(self, request: Request) -> tuple[Caller, SiteView, str]:
        """The caller, and the file of its path. Raises `OpenAiProblem` 404 for another account's."""
        caller, site = await self._relay.callers.accept_bodiless(request, BATCHES.model)
        name, account_id = request.path_params["file_id"], caller.holder.account_id
        await self._relay.services.threads.read(lambda: self._check_owner(account_id, name))
        return caller, site, name

    def _check_owner(self, account_id: int, name: str) -> None:
        with self._store.database.read() as tx:
            self._store.relay_files.read(tx, account_id, _known_id(name))

    async def _ask(self, site: SiteView, method: str, path: str, caller: Caller) -> bytearray:
        try:
            answer = await self._relay.model_server.send(site, method, path, request_id=caller.request_id)
            try:
                if not answer.is_success:
                    raise await response_problem(answer, site, client_statuses=_CLIENT_STATUSES)
                return await read_body(answer, _MAX_ANSWER_BYTES)
            finally:
                await answer.aclose()
        except GatekeyError as error:
            await self._relay.ledger.log_refusal(caller, FILE_MODEL, error, problem_code(error))
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


def _known_id(name: str) -> str:
    """`name` if it can be the id of a file. Raises `OpenAiProblem` 404."""
    if not BATCH_ID.fullmatch(name):
        raise OpenAiProblem(404, "There is no file of that name.", param="file_id", code="not_found")
    return name


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


def _document(file: RelayFile) -> dict[str, Any]:
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.size_bytes,
        "created_at": int(file.created_at.timestamp()),
        "filename": file.filename,
        "purpose": file.purpose,
        "status": "processed",
    }


def _answer(document: dict[str, Any], caller: Caller) -> Response:
    return JSONResponse(document, headers={"X-Request-Id": caller.request_id})


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


async def _pieces(answer: httpx.Response, secret: bytes, slot: ExitStack) -> AsyncIterator[bytes]:
    """The content with the gateway's key masked. Raises `OpenAiProblem` if the model server breaks off."""
    with slot:
        try:
            async for piece in masked_chunks(body_chunks(answer), secret):
                yield piece
        except NETWORK_ERRORS as error:
            raise connection_problem(error) from error
        finally:
            await answer.aclose()
