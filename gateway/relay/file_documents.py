"""The documents in which `/v1/files` tells of files."""

from typing import Any

from starlette.responses import JSONResponse, Response

from gateway.relay.ledger import Caller
from store.values.relay_files import RelayFile


def file_document(file: RelayFile) -> dict[str, Any]:
    """One file, in OpenAI's format."""
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.size_bytes,
        "created_at": int(file.created_at.timestamp()),
        "filename": file.filename,
        "purpose": file.purpose,
        "status": "processed",
    }


def file_response(document: dict[str, Any], caller: Caller) -> Response:
    """The response with a document of one file or several."""
    return JSONResponse(document, headers={"X-Request-Id": caller.request_id})
