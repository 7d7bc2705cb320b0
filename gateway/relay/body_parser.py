"""Parses request bodies into calls: short ones on the event loop, long ones in `gateway.relay.body_process`."""

from collections.abc import Set
from typing import Any, Final

from gateway.problems import OpenAiProblem
from gateway.relay.process_client import MAX_INLINE_BYTES, ParserBusy, ParserFailed, ParserProcess
from gateway.relay.request import Call, Endpoint, OutputLength, parse_request

PARSE_TIMEOUT_S: Final = 30.0
"""Seconds. The slowest body that passes the limits takes two."""
QUEUE_TIMEOUT_S: Final = 30.0
"""Seconds a body waits for earlier ones."""
_PARSER_FAILED: Final = "The gateway could not read this body at the moment. Try again."
_PARSER_BUSY: Final = "The gateway has too many large requests to read at the moment. Try again in a few seconds."


class BodyParser:
    """The parser of one event loop, with a process of its own."""

    def __init__(self) -> None:
        self.process = ParserProcess(
            "gateway.relay.body_process", queue_timeout_s=QUEUE_TIMEOUT_S, read_timeout_s=PARSE_TIMEOUT_S
        )

    async def parse(
        self, endpoint: Endpoint, media_type: str, raw: bytes | bytearray, extra: Set[str], account_id: int = 0
    ) -> Call:
        """Parse `raw` as `gateway.relay.request.parse_request` does, for the account that sent it.

        Raises `OpenAiProblem`, also 503 if the process failed or was not free within `QUEUE_TIMEOUT_S`.
        """
        if len(raw) <= MAX_INLINE_BYTES:
            return parse_request(endpoint, media_type, bytes(raw), extra)
        head = {"path": endpoint.path, "media_type": media_type, "extra": sorted(extra)}
        try:
            reply, content = await self.process.ask(account_id, head, raw)
        except ParserBusy as error:
            raise OpenAiProblem(503, _PARSER_BUSY, code="overloaded", headers={"Retry-After": "5"}) from error
        except ParserFailed as error:
            raise OpenAiProblem(503, _PARSER_FAILED, headers={"Retry-After": "1"}) from error
        if "problem" in reply:
            problem: dict[str, Any] = reply["problem"]
            raise OpenAiProblem(
                problem["status"],
                problem["sentence"],
                code=problem["code"],
                param=problem["param"],
                kind=problem["kind"],
            )
        fields: dict[str, Any] = reply["call"]
        return Call(endpoint=endpoint, content=content, **{**fields, "length": OutputLength(*fields["length"])})

    async def aclose(self) -> None:
        """End the process."""
        await self.process.aclose()
