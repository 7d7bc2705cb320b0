"""The playground, over the server's own relay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.errors import NotOnThisServer
from tui.remote_account.limits import NEEDS_PAYING_KEY, NO_COST_ESTIMATE, NO_IMAGES
from tui.remote_account.topic import RemoteTopic

if TYPE_CHECKING:
    from store.values.playground import CostEstimate, PlaygroundPrice, PlaygroundQuestion
    from tui.account import RunningAnswer


class RemotePlayground(RemoteTopic):
    """`PlaygroundService` on a server."""

    async def playground_answer(self, question: PlaygroundQuestion) -> RunningAnswer:
        from store.values.playground import PlaygroundMode

        self._check_open()
        if question.key_id is None:
            raise NotOnThisServer(NEEDS_PAYING_KEY)
        if question.mode is PlaygroundMode.IMAGE:
            raise NotOnThisServer(NO_IMAGES)
        return self._client.playground.ask(question.key_id, question)

    async def playground_price(self, model: str) -> PlaygroundPrice:
        """The price of the list, or that the server refuses a model without one."""
        from store.values.playground import PlaygroundPrice

        account = await self._account()
        listed = await self._client.models.prices(account.group)
        price = next((one for one in listed if one.model == model), None)
        if price is not None and not price.is_default:
            return PlaygroundPrice(price)
        accepts = (await self._client.settings.read()).accept_unpriced_models
        return PlaygroundPrice(price if accepts else None, is_refused=not accepts)

    async def playground_estimate(self, question: PlaygroundQuestion) -> CostEstimate:  # noqa: ARG002 (the protocol's)
        raise NotOnThisServer(NO_COST_ESTIMATE)
