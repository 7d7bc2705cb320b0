"""The metrics in Prometheus' format.

No label holds a name of an account, a key, or a text that a client or a model server chose: a model is named only if
the price list has it, and a reason only if it is one of the gateway's own.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gateway.endpoint_names import OTHER
from gateway.problems import OWN_CODES
from store.values.usage import UsageEntry

_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""Upper bounds of the latency histogram, in seconds. A stream may last for minutes."""


class PrometheusMetrics:
    """Counts in `registry`. Each label combination is looked up once: a look-up costs more than counting."""

    def __init__(self, registry: CollectorRegistry) -> None:
        requests = Counter(
            "gatekey_requests",
            "Requests by endpoint and class of the status. `none`: no response was started.",
            ["endpoint", "status"],
            registry=registry,
        )
        seconds = Histogram(
            "gatekey_request_seconds",
            "Time from the head of a request to the last byte of its response.",
            ["endpoint"],
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._in_flight = Gauge(
            "gatekey_calls_in_flight",
            "Relayed requests under way.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._holds = Counter("gatekey_holds", "Holds made for calls.", registry=registry)
        self._open_holds = Gauge(
            "gatekey_holds_open",
            "Holds of calls that are not booked yet.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        tokens = Counter("gatekey_tokens", "Tokens of booked calls.", ["model", "direction"], registry=registry)
        charged = Counter("gatekey_charged_micro_usd", "Micro-USD charged.", ["model"], registry=registry)
        refusals = Counter(
            "gatekey_refusals", "Requests refused before a hold was made.", ["reason"], registry=registry
        )
        failures = Counter(
            "gatekey_model_server_errors", "Calls that the model server did not serve.", ["reason"], registry=registry
        )
        self._requests: Callable[[str, str], Counter] = cache(requests.labels)
        self._seconds: Callable[[str], Histogram] = cache(seconds.labels)
        self._tokens: Callable[[str, str], Counter] = cache(tokens.labels)
        self._charged: Callable[[str], Counter] = cache(charged.labels)
        self._refusals: Callable[[str], Counter] = cache(refusals.labels)
        self._failures: Callable[[str], Counter] = cache(failures.labels)

    def request_ended(self, endpoint: str, status: int, seconds: float) -> None:
        self._requests(endpoint, f"{status // 100}xx" if status else "none").inc()
        self._seconds(endpoint).observe(seconds)

    def call_began(self) -> None:
        self._in_flight.inc()

    def call_ended(self) -> None:
        self._in_flight.dec()

    def hold_made(self) -> None:
        self._holds.inc()
        self._open_holds.inc()

    def hold_settled(self) -> None:
        self._open_holds.dec()

    def call_booked(self, entry: UsageEntry) -> None:
        price = entry.price
        model = OTHER if price is None or price.is_default else price.model
        _add(self._tokens(model, "in"), entry.prompt_tokens)
        _add(self._tokens(model, "out"), entry.completion_tokens)
        _add(self._charged(model), entry.cost_micro_usd)

    def refused(self, reason: str) -> None:
        self._refusals(_own(reason)).inc()

    def model_server_failed(self, reason: str) -> None:
        self._failures(_own(reason)).inc()


def _add(counter: Counter, amount: Any) -> None:
    if amount:
        counter.inc(amount)


def _own(reason: str) -> str:
    # The code of a refusal may come from the model server, which may put anything there.
    return reason if reason in OWN_CODES else OTHER
