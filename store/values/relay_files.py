"""Files that an account has at the model server."""

from datetime import datetime
from typing import NamedTuple


class RelayFile(NamedTuple):
    """A file at the model server, by its id there."""

    id: str
    filename: str
    purpose: str
    size_bytes: int
    created_at: datetime
    task_id: str | None = None
    """The batch that wrote the file; None for an upload."""


class RelayFilePage(NamedTuple):
    """Files, newest first."""

    files: tuple[RelayFile, ...]
    has_more: bool
