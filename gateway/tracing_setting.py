"""The variables of OpenTelemetry that ask for traces. Its packages are imported only where they do."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from store.errors import TracesMissing

if TYPE_CHECKING:
    from gateway.tracing import Tracing

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""The variables that name the collector of spans, over HTTP. Without either there are no traces."""
_DISABLED: Final = "OTEL_SDK_DISABLED"


@contextmanager
def opened_tracing(environ: Mapping[str, str]) -> Iterator["Tracing | None"]:
    """The tracing that `environ` asks for, or None; at the end what was recorded is sent.

    Raises `TracesMissing` if the packages of the extra `otel` are not installed.
    """
    if not any(environ.get(name) for name in ENDPOINTS) or environ.get(_DISABLED, "").lower() == "true":
        yield None
        return
    try:
        from gateway.tracing import Tracing, exporting
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("opentelemetry"):
            raise TracesMissing from error
        raise
    tracing = Tracing(exporting())
    try:
        yield tracing
    finally:
        tracing.close()
