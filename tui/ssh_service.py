"""The SSH server for the command line, which lies below it: its place, and a function that serves."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

from tui.store_location import Options


class SshPlace(NamedTuple):
    """The address where the server answers, and the key by which it proves who it is."""

    host: str
    port: int
    """0 takes a free one."""
    host_key: Path | None = None
    """None is the file beside Gatekey's own key."""


ServeSsh: TypeAlias = Callable[[Options, SshPlace], int]
"""Serves until a signal; returns the exit status of the command."""
