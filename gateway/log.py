"""The log of a server: one line for each event, on standard error, without the text of an exception."""

import logging
import sys
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any, Final

from store.fault_places import chain

LOG_LEVELS: Final = {"gatekey": logging.INFO, "uvicorn": logging.WARNING}
"""The log of `gatekey serve`: all of Gatekey, and the warnings of uvicorn."""
_MAX_CAUSES: Final = 4
_MAX_FRAMES: Final = 24
"""The innermost frames of an exception that are logged."""


class TracebackFormatter(logging.Formatter):
    """Formats an exception as types and places: its message can contain data of a request, and uvicorn would log it."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return traceback_line(ei[1]) if ei[1] is not None else ""


def log_to_stderr(levels: Mapping[str, int]) -> None:
    """Log to standard error: each of these loggers from its level on, and nothing of other libraries."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TracebackFormatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    for name, level in levels.items():
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False


def traceback_line(error: BaseException) -> str:
    """Types and `file:line:function` of `error` and its causes, on one line."""
    return ", caused by ".join(_chain_locations(error))


def _chain_locations(error: BaseException) -> Iterator[str]:
    for link in chain(error, _MAX_CAUSES):
        places = (
            f"{'/'.join(PurePath(code.co_filename).parts[-2:])}:{line}:{code.co_qualname}"
            for code, line in link.frames[-_MAX_FRAMES:]
        )
        yield " ".join([f"{link.kind} at", *places])
