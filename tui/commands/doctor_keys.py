"""Doctor: wrong entries in keys.toml."""

from collections.abc import Iterator
from typing import Final

from tui.commands.findings import Finding, fail, ok
from tui.keymap import config_path, load_config

_FIX: Final = "The console starts without that entry."


def examine() -> Iterator[Finding]:
    path = config_path()
    config = load_config(path)
    for fault in config.faults:
        yield fail("keys.toml", f"{path}: {fault}", _FIX)
    if not config.faults:
        is_there = path.is_file()
        yield ok("keys.toml", f"Everything in {path} can be used." if is_there else f"There is none at {path}.")
