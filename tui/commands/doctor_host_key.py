"""Doctor: the host key of `gatekey ssh`."""

import os
from collections.abc import Iterator, Mapping
from typing import Final

from store.errors import HostKeyUnusable
from store.text import sanitize
from tui.commands.findings import Finding, fail, ok
from tui.ssh_host_key import fingerprint, host_key_path, load_host_key
from tui.store_location import Options

_SUBJECT: Final = "ssh host key"


def examine(options: Options, environ: Mapping[str, str]) -> Iterator[Finding]:
    """The fingerprint, for people who connect for the first time."""
    path = host_key_path(options, environ)
    if not os.path.lexists(path):
        yield ok(_SUBJECT, "There is none yet. gatekey ssh makes it at its first start.")
        return
    try:
        shown = fingerprint(load_host_key(path))
    except HostKeyUnusable as error:
        yield fail(_SUBJECT, f"{error.title}.", sanitize(str(error)))
    else:
        yield ok(_SUBJECT, f"{shown} ({sanitize(str(path))})")
