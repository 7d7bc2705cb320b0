"""Programs of tests react to the signals that end them, however the tests themselves were started."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def signals_heard() -> Iterator[None]:
    """Programs started in this context receive SIGHUP and SIGINT.

    They would inherit that one is ignored, as nohup and a shell's `&` have it, but not that one is handled.
    """
    ignored = [number for number in (signal.SIGHUP, signal.SIGINT) if signal.getsignal(number) is signal.SIG_IGN]
    try:
        for number in ignored:
            signal.signal(number, lambda *_: None)
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)
