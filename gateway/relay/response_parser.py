"""Parses responses of the model server: short ones on the event loop, long ones in `gateway.relay.response_process`.
Long events of a stream are parsed there too: one of 4 MiB takes 140 ms.

Request bodies have another process: responses that are already paid for must not wait for them.
"""

from typing import Any, Final

from gateway.relay.api_form import ApiForm
from gateway.relay.process_client import MAX_INLINE_BYTES, ParserProcess
from gateway.relay.response_facts import ResponseFacts, listed_models, parse_object, response_facts
from gateway.relay.stream_event import EventFacts
from store.errors import UpstreamFailed

READ_TIMEOUT_S: Final = 60.0
"""Seconds. 64 MiB of small values take some ten, and more on a busy machine."""
QUEUE_TIMEOUT_S: Final = 60.0
"""Seconds a response waits for earlier ones. Then its tokens are counted, which is less exact."""


class ResponseParser:
    """The parser of one event loop, with a process of its own.

    Its methods raise `UpstreamFailed` for a response that is no JSON object, `ParserFailed` if the process failed, and
    `ParserBusy` if it was not free within `QUEUE_TIMEOUT_S`.
    """

    def __init__(self) -> None:
        self.process = ParserProcess(
            "gateway.relay.response_process", queue_timeout_s=QUEUE_TIMEOUT_S, read_timeout_s=READ_TIMEOUT_S
        )

    async def facts(
        self, content: bytes | bytearray, account_id: int, *, has_completion: bool, form: ApiForm = ApiForm.CHAT
    ) -> ResponseFacts:
        """`response_facts` of a response to a call of the account."""
        if len(content) <= MAX_INLINE_BYTES:
            return response_facts(parse_object(content), has_completion=has_completion, form=form)
        head = {"wanted": "facts", "has_completion": has_completion, "form": form}
        reply = await self._ask(content, account_id, head)
        return ResponseFacts.from_json(reply["facts"])

    async def models(self, content: bytes | bytearray, account_id: int) -> list[dict[str, Any]]:
        """`listed_models` of a list that the account requested."""
        if len(content) <= MAX_INLINE_BYTES:
            return listed_models(parse_object(content))
        models: list[dict[str, Any]] = (await self._ask(content, account_id, {"wanted": "models"}))["models"]
        return models

    async def event(self, event: bytes, account_id: int, form: ApiForm = ApiForm.CHAT) -> EventFacts:
        """The facts of a long event in a stream to the account. It is never `UpstreamFailed`."""
        reply, _ = await self.process.ask(account_id, {"wanted": "event", "form": form}, event)
        return EventFacts.from_json(reply["event"])

    async def aclose(self) -> None:
        """End the process."""
        await self.process.aclose()

    async def _ask(self, content: bytes | bytearray, account_id: int, head: dict[str, Any]) -> dict[str, Any]:
        reply, _ = await self.process.ask(account_id, head, content)
        if "failure" in reply:
            raise UpstreamFailed(reply["failure"])
        return reply
