"""Files that an account has at the model server."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RelayFile:
    """A file at the model server, by its id there."""

    id: str
    filename: str
    purpose: str
    size_bytes: int
    created_at: datetime
    task_id: str | None = None
    """The batch that wrote the file; None for an upload."""


@dataclass(frozen=True, slots=True)
class RelayFilePage:
    """Files, newest first."""

    files: tuple[RelayFile, ...]
    has_more: bool
