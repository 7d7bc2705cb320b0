"""Patterns of h11 that take linear time.

Two patterns of h11 (0.16) try every length of a run of blanks where a line is wrong after it: one line of 60 KB holds
the interpreter for half a minute, and with it every timeout. The patterns here accept the same lines (RFC 9112, 5 and
7.1). Clients reach h11 too, through httpx and httpcore: a server may answer with such a line.
"""

import re
from typing import Final

from h11 import _readers

_TOKEN: Final = rb"[-!#$%&'*+.^_`|~0-9a-zA-Z]+"
HEADER_FIELD: Final = re.compile(
    rb"(?P<field_name>" + _TOKEN + rb"):[ \t]*+(?P<field_value>(?:[^\x00\s]++(?:[ \t]++[^\x00\s]++)*+)?+)[ \t]*+"
)
CHUNK_HEADER: Final = re.compile(
    rb"(?P<chunk_size>[0-9A-Fa-f]{1,20}+)(?P<chunk_ext>;[^\n]*(?=\r\n))?[ \t]*+\r\n",
)


def use_linear_patterns() -> None:
    """Let every connection of h11 in this process use these patterns. A second call changes nothing."""
    _readers.header_field_re = HEADER_FIELD
    _readers.chunk_header_re = CHUNK_HEADER
