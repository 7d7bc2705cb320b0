"""The modules while they are read, when they cannot be read, and on a very wide screen; a chat in each state."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from screens.modules.playground import PlaygroundPage
from screens.modules.playground_bar import PlaygroundBar
from store.errors import DatabaseBusy, QuotaExceeded
from store.values.playground import AnswerEnd, AnswerPart, AnswerText, PlaygroundQuestion
from store.values.usage import Kind
from tests.harness.consoles import Stage
from tests.snapshots.conftest import Picture
from tests.snapshots.scenes import busy_store, keyed_store, logged_store, spent_store
from tests.snapshots.steps import opening
from tui.account import RunningAnswer
from tui.widgets.message_input import MessageInput

MODULES = {
    "overview": (("dashboard",), spent_store),
    "api-keys": (("api_keys",), keyed_store),
    "wallet": (("quota", "ledger"), spent_store),
    "playground": (("prices",), busy_store),
}
"""The first questions of each module to the account, and a store with answers."""
SIZES = [(60, 20), (80, 24), (120, 40), (200, 50)]

ANSWER = """\
Three things matter when a request fails with **429**:

1. Wait as long as `Retry-After` says.
2. Double the wait after each failure, and add some randomness.
3. Give up after a few tries.

```python
for attempt in range(5):
    time.sleep(2**attempt + random.random())
```
"""
END = AnswerEnd("req_8f31", Kind.CONSUMPTION, "ok", "", 41, 96, 202, 2140, 380)
BROKEN_OFF = AnswerEnd(
    "req_8f31", Kind.ERROR, "upstream_broke_off", "The model server ended the answer too early.", 41, 30, 71, 1630, 380
)


@pytest.mark.parametrize("module", MODULES)
def test_before_the_first_answer(picture: Picture, module: str) -> None:
    """The shape of the page, and no figure."""
    questions, store = MODULES[module]

    async def steps(stage: Stage) -> None:
        asked = asyncio.Event()

        async def silent(*_: object, **__: object) -> None:
            asked.set()
            await asyncio.Event().wait()

        for question in questions:
            setattr(stage.app.account, question, silent)
        await opening(module)(stage)
        await asked.wait()
        await stage.pilot.pause()

    picture(steps, store=store(), settle=False)


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
@pytest.mark.parametrize("module", [name for name in MODULES if name != "api-keys"])
def test_a_busy_database(picture: Picture, module: str, size: tuple[int, int]) -> None:
    """The reason, and the key that tries again."""
    questions, store = MODULES[module]

    async def steps(stage: Stage) -> None:
        async def busy(*_: object, **__: object) -> None:
            raise DatabaseBusy

        for question in questions:
            setattr(stage.app.account, question, busy)
        await opening(module)(stage)

    picture(steps, store=store(), size=size)


@pytest.mark.parametrize("module", ["api-keys", "wallet", "usage-logs"])
def test_very_wide(picture: Picture, module: str) -> None:
    """The columns take the room; the words of the page do not run across the screen."""
    store = {"api-keys": keyed_store, "wallet": spent_store, "usage-logs": logged_store}[module]
    picture(opening(module), store=store(), size=(200, 50))


class Said:
    """An answer that is known beforehand. Without an end, it is still being written."""

    def __init__(self, parts: Sequence[AnswerPart], *, refused: bool = False) -> None:
        self.parts, self.refused = parts, refused

    async def __aiter__(self) -> AsyncIterator[AnswerPart]:
        if self.refused:
            raise QuotaExceeded
        for part in self.parts:
            yield part
        if not isinstance(self.parts[-1], AnswerEnd):
            await asyncio.Event().wait()

    def stop(self) -> None: ...

    async def aclose(self) -> None: ...


async def ask(stage: Stage, answer: Said) -> None:
    async def answered(_question: PlaygroundQuestion) -> RunningAnswer:
        return answer

    setattr(stage.app.account, "playground_answer", answered)  # noqa: B010 (instead of a model server)
    await opening("playground")(stage)
    await stage.settle()
    assert stage.app.screen.query_one(PlaygroundBar).model
    stage.app.screen.query_one(MessageInput).text = "What do I do about errors 429?"
    await stage.pilot.press("enter")


@pytest.mark.parametrize("size", SIZES)
def test_a_chat(picture: Picture, size: tuple[int, int]) -> None:
    """Question and answer, the list and the code as such, and the cost below."""

    async def steps(stage: Stage) -> None:
        await ask(stage, Said([AnswerText(ANSWER), END]))

    picture(steps, store=busy_store(), size=size)


def test_an_answer_that_is_being_written(picture: Picture) -> None:
    """What came, and the key that stops it."""

    async def steps(stage: Stage) -> None:
        await ask(stage, Said([AnswerText(ANSWER[:120])]))
        await stage.until(lambda: stage.says("writing…") and stage.says("Double"))
        await stage.pilot.pause()

    picture(steps, store=busy_store(), settle=False)


def test_an_answer_that_broke_off(picture: Picture) -> None:
    """What came stays, with the reason and what is due."""

    async def steps(stage: Stage) -> None:
        await ask(stage, Said([AnswerText(ANSWER[:120]), BROKEN_OFF]))

    picture(steps, store=busy_store())


def test_a_question_that_is_refused(picture: Picture) -> None:
    """The reason, and the question is back in the field."""

    async def steps(stage: Stage) -> None:
        await ask(stage, Said([], refused=True))
        await stage.until(lambda: stage.app.screen.query_one(PlaygroundPage).query(".chat-state"))

    picture(steps, store=busy_store(), size=(60, 20))
