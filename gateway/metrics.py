"""The figures that the gateway counts, and the null object for a gateway without metrics."""

from typing import Protocol

from store.values.usage import UsageEntry


class Metrics(Protocol):
    """Counts the work of one process. Every method is called on the event loop, and returns within microseconds."""

    def request_ended(self, endpoint: str, status: int, seconds: float) -> None:
        """Count a response. `endpoint` is of `EndpointNames`; `status` 0 means that no response was started."""

    def call_began(self) -> None:
        """Count a relayed request as under way."""

    def call_ended(self) -> None:
        """Count a relayed request as no longer under way."""

    def hold_made(self) -> None:
        """Count a hold, which is open until `hold_settled`."""

    def hold_settled(self) -> None:
        """Count a hold as no longer open."""

    def call_booked(self, entry: UsageEntry) -> None:
        """Count the tokens and the amount of a booked call."""

    def refused(self, reason: str) -> None:
        """Count a request that was refused before its hold. `reason` is the code of the error."""

    def model_server_failed(self, reason: str) -> None:
        """Count a call that the model server did not serve. `reason` is the code of the error."""


class NoMetrics:
    """Counts nothing."""

    def request_ended(self, endpoint: str, status: int, seconds: float) -> None: ...

    def call_began(self) -> None: ...

    def call_ended(self) -> None: ...

    def hold_made(self) -> None: ...

    def hold_settled(self) -> None: ...

    def call_booked(self, entry: UsageEntry) -> None: ...

    def refused(self, reason: str) -> None: ...

    def model_server_failed(self, reason: str) -> None: ...
