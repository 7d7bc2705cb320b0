"""Doctor: wrong entries in keys.toml."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tui.commands.findings import Finding, fail, ok
from tui.keymap import ConsoleConfig

_FIX: Final = "The console starts without that entry."


def examine(path: Path, config: ConsoleConfig) -> Iterator[Finding]:
    for fault in config.faults:
        yield fail("keys.toml", f"{path}: {fault}", _FIX)
    if not config.faults:
        is_there = path.is_file()
        yield ok("keys.toml", f"Everything in {path} can be used." if is_there else f"There is none at {path}.")
