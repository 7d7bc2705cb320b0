"""Steps to what a picture shows: what a person does with a control, as an argument of `picture`."""

from collections.abc import Awaitable, Callable

from tests.harness.consoles import Stage

Step = Callable[[Stage], Awaitable[object]]


def fill(control: str, text: str) -> Step:
    return lambda stage: stage.fill(control, text)


def typed(text: str) -> Step:
    return lambda stage: stage.type(text)


def click(selector: str) -> Step:
    return lambda stage: stage.click(selector)


def focus(selector: str) -> Step:
    return lambda stage: stage.focus(selector)


def opening(module: str) -> Step:
    """Open the page of a module, as its line in the sidebar does."""

    async def step(stage: Stage) -> None:
        stage.app.screen.action_open_module(module)  # type: ignore[attr-defined] # the console's

    return step


async def take_steps(stage: Stage, steps: tuple[Step | str, ...]) -> None:
    """Take the steps, each once the one before has settled. A string holds keys with spaces between."""
    for number, step in enumerate(steps):
        if number:
            await stage.settle()
        if isinstance(step, str):
            await stage.press(*step.split())
        else:
            await step(stage)
