"""Messages between the gateway and its parser processes, over standard input and output.

Python's JSON parser holds the GIL until it is done, also in a thread. In a process of its own it blocks nobody.

A message consists of the length of its head and of its body, the head as JSON, and the body.
"""

import gc
import json
import resource
import signal
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, Final

FRAME_HEADER: Final = struct.Struct("!IQ")
MAX_ADDRESS_SPACE_BYTES: Final = 1536 * 1024 * 1024
"""Of one process. 30 MiB of empty lists take 0.8 GiB as objects."""

Handler = Callable[[dict[str, Any], bytes], tuple[dict[str, Any], bytes]]
"""From the head and body of a message to those of its reply."""


def frame_head(head: dict[str, Any], length: int) -> bytes:
    """The start of a message whose body has `length` bytes."""
    written = json.dumps(head).encode()
    return FRAME_HEADER.pack(len(written), length) + written


def serve(handle: Handler, source: BinaryIO, sink: BinaryIO) -> None:
    """Handle messages until `source` ends, which means that the gateway has ended.

    Returns early if a message needs too much memory, which the gateway takes for a failure of the process.
    """
    while lengths := source.read(FRAME_HEADER.size):
        head_length, body_length = FRAME_HEADER.unpack(lengths)
        head = json.loads(source.read(head_length))
        try:
            reply_head, reply_body = handle(head, source.read(body_length))
        except MemoryError:
            return
        sink.write(frame_head(reply_head, len(reply_body)))
        sink.write(reply_body)
        sink.flush()


def run_process(handle: Handler) -> None:
    """`serve` over standard input and output, as the whole work of this process."""
    # A signal may reach all processes of the gateway. This one ends when the gateway has closed its pipe.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = MAX_ADDRESS_SPACE_BYTES if hard == resource.RLIM_INFINITY else min(hard, MAX_ADDRESS_SPACE_BYTES)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    # JSON has no reference cycles. The collector would search ten million lists for them, for 20 s.
    gc.disable()
    serve(handle, sys.stdin.buffer, sys.stdout.buffer)
