"""Files for batches. They lie at the model server, and all accounts share the gateway's key there: an account reaches
only the files that the store attributes to it.

An upload (`gateway.relay.file_upload`) costs nothing and is logged as a task, as is a deletion. Files serve batches
alone: a key that may call some models only needs `batch` among them for each of these requests.
"""

from contextlib import ExitStack
from functools import partial
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from gateway.problems import OpenAiProblem
from gateway.relay.endpoints import BATCHES
from gateway.relay.file_content import FileContent
from gateway.relay.file_documents import file_document, file_response
from gateway.relay.file_requests import FILES_PATH, FileRequests
from gateway.relay.ledger import Caller
from gateway.relay.model_response import BATCH_ID, relay_response
from gateway.relay.relay import Relay
from gateway.site_view import SiteView
from store.relay_files import MAX_PAGE_SIZE
from store.text import is_sanitized
from store.values.relay_files import RelayFile
from store.values.usage import FILE_MODEL, Kind

PURPOSE_OF_OUTPUT: Final = "batch_output"


class Files:
    """`/v1/files`: list, read, delete, content."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._store = relay.services.store
        self._requests = FileRequests(relay)

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
        return file_response(
            {
                "object": "list",
                "data": [file_document(file) for file in files],
                "first_id": files[0].id if files else None,
                "last_id": files[-1].id if files else None,
                "has_more": has_more,
            },
            caller,
        )

    async def read(self, request: Request) -> Response:
        """One file, as the model server describes it now. Raises `OpenAiProblem` 404 for another account's."""
        caller, site, name = await self._own(request)
        content = await self._requests.ask(site, "GET", f"{FILES_PATH}/{name}", caller)
        return await relay_response(content, site.upstream_key, caller.request_id)

    async def delete(self, request: Request) -> Response:
        """Delete a file at the model server. One that is not there any more is forgotten. Raises like `read`."""
        caller, site, name = await self._own(request)
        try:
            await self._requests.ask(site, "DELETE", f"{FILES_PATH}/{name}", caller)
        except OpenAiProblem as error:
            if error.status != 404:
                raise
        account_id = caller.holder.account_id

        def forget(tx: Connection) -> None:
            self._store.relay_files.forget(tx, account_id, name)
            self._store.usage.append(tx, account_id, caller.entry(Kind.TASK, FILE_MODEL, status="deleted", detail=name))

        await self._relay.services.threads.write(forget)
        return file_response({"id": name, "object": "file", "deleted": True}, caller)

    async def content(self, request: Request) -> Response:
        """The content of a file, passed on as it comes. Raises like `read`, and `LimitReached`."""
        caller, site, name = await self._own(request)
        with ExitStack() as slot:
            slot.enter_context(self._relay.concurrency.slot(caller.holder.account_id))
            async with self._requests.failures_logged(caller):
                answer = await self._requests.open(site, "GET", f"{FILES_PATH}/{name}/content", caller)
            return FileContent(
                answer,
                site.upstream_key.encode(),
                slot.pop_all(),
                request_id=caller.request_id,
                log_failure=partial(self._requests.log_failure, caller),
            )

    async def _own(self, request: Request) -> tuple[Caller, SiteView, str]:
        """The caller, and the file of its path. Raises `OpenAiProblem` 404 for another account's."""
        caller, site = await self._relay.callers.accept_bodiless(request, BATCHES.model)
        name, account_id = request.path_params["file_id"], caller.holder.account_id
        await self._relay.services.threads.read(lambda: self._check_owner(account_id, name))
        return caller, site, name

    def _check_owner(self, account_id: int, name: str) -> None:
        with self._store.database.read() as tx:
            self._store.relay_files.read(tx, account_id, _known_id(name))


def _known_id(name: str) -> str:
    """`name` if it can be the id of a file. Raises `OpenAiProblem` 404."""
    if not BATCH_ID.fullmatch(name):
        raise OpenAiProblem(404, "There is no file of that name.", param="file_id", code="not_found")
    return name
