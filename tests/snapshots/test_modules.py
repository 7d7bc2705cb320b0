"""The pages of the other modules, filled and empty, and the drawer."""

import pytest

from store.pricing import ModelPrice
from store.store import Store
from store.usage_log import Kind, UsageEntry
from tests.consoles import Stage
from tests.snapshots.conftest import Picture, Steps
from tests.stores import add_account, make_store, sign_in


def busy_store() -> Store:
    store = make_store()
    account = add_account(store)
    store.pricing.set(ModelPrice("gpt-5-mini", 250_000, 2_000_000))
    token = sign_in(store)
    store.api_keys.create(token, "build server")
    store.api_keys.create(token, "notebook", spend_limit_micro_usd=5_000_000)
    for kind in Kind:
        for number in range(3):
            store.context.clock.advance(hours=5)  # type: ignore[attr-defined] # the still clock of the tests
            entry = UsageEntry(
                kind, "gpt-5-mini", "build server", prompt_tokens=900 * number, cost_micro_usd=1234 * (number + 1)
            )
            store.usage.record(account.id, entry)
    return store


def opening(module: str) -> Steps:
    async def steps(stage: Stage) -> None:
        stage.app.screen.action_open_module(module)  # type: ignore[attr-defined] # the console's

    return steps


@pytest.mark.parametrize(
    "module", ["playground", "overview", "api-keys", "usage-logs", "drawing-logs", "task-logs", "wallet"]
)
def test_filled(picture: Picture, module: str) -> None:
    """A table or figures within 80 columns, nothing cut at the right."""
    picture(opening(module), store=busy_store())


@pytest.mark.parametrize("module", ["overview", "api-keys", "usage-logs", "wallet"])
def test_empty(picture: Picture, module: str) -> None:
    """One sentence that says what would be here, and how it comes to be."""
    picture(opening(module))


def test_drawer(picture: Picture) -> None:
    """Below 100 columns the sidebar lies over the page, with the cursor on the open module."""
    picture("f2")
