"""`gatekey`: the console, where there is a terminal to draw on."""

import os
import sys

from tui.commands import streams
from tui.commands.parsing import USAGE_ERROR
from tui.opening import Options


def run(options: Options) -> int:
    """Open the console and return its status; 2 where there is no terminal, before a single escape code."""
    from tui.terminal import refusal

    reason = refusal(sys.stdin, sys.stdout, sys.stderr, os.environ)
    if reason is not None:
        streams.say(f"gatekey: {reason}")
        return USAGE_ERROR
    try:
        from tui.app import run_console
    except ModuleNotFoundError as error:
        if error.name != "tui.app":
            raise
        streams.say("gatekey: The console is not built yet. The commands work: gatekey --help")
        return 1
    status: int = run_console(options)
    return status
