"""asyncio without TLS until something imports `ssl`.

asyncio imports `ssl` where there is one, which takes a start 10 ms and 1 MB. Most consoles of a local account never
make a connection. Their asyncio is therefore imported as on a Python that was built without OpenSSL, which it supports.
It gets `ssl` as soon as another module imports it: nothing can ask for TLS before, and without it asyncio refuses TLS.
"""

from __future__ import annotations

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_SSL: Final = "ssl"
_USERS: Final = ("asyncio.base_events", "asyncio.selector_events")
"""The modules of asyncio that only keep `ssl` in a variable. `asyncio.sslproto` makes more of it at its import."""


def import_asyncio() -> None:
    """Import asyncio, without `ssl` unless one of them was imported before."""
    if _SSL in sys.modules or "asyncio" in sys.modules:
        return
    sys.meta_path.insert(0, _SslFinder())
    sys.modules[_SSL] = None  # type: ignore[assignment]  # its import raises ImportError
    try:
        importlib.import_module("asyncio")
    finally:
        del sys.modules[_SSL]


class _SslFinder(MetaPathFinder):
    """Finds `ssl` where it is found without this. It stays: its removal could spoil an import of another thread."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's spec, with a loader that tells asyncio; None for another module."""
        if fullname != _SSL:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _SslLoader(spec.loader)
        return spec


class _SslLoader(Loader):
    """Loads `ssl` by the loader that it has, and gives it to asyncio."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """The module that the other loader makes."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Load the module, then give it to asyncio."""
        self._loader.exec_module(module)
        for name in _USERS:
            vars(sys.modules[name])[_SSL] = module
        importlib.reload(sys.modules["asyncio.sslproto"])
