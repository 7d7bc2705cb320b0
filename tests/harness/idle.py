"""Unfinished work of an application in a test: its handlers, its workers and the frame that is not drawn yet."""

from collections.abc import Iterator

from textual._queue import Queue
from textual.app import App
from textual.message import Message
from textual.message_pump import MessagePump
from textual.worker import Worker


def is_at_work(pump: MessagePump) -> bool:
    """True if a message waits for `pump`, or a handler of one has not ended.

    Between two messages the task of a pump waits for the next one, and nowhere else.
    """
    task = pump._task
    if task is None or task.done():
        return False
    queue: Queue[Message | None] = pump._message_queue
    return not queue.empty() or not queue.ready_event._waiters


def pumps_at_work(app: App[None]) -> Iterator[MessagePump]:
    """The application, the screens and their widgets that are at work. A screen below others may still be."""
    for pump in (app, *app.screen_stack):
        if is_at_work(pump):
            yield pump
    for screen in app.screen_stack:
        yield from filter(is_at_work, screen.walk_children())


def workers_at_work(app: App[None]) -> list[Worker[object]]:
    """The workers that wait for no person, browser or provider; none if each of the others waits for its dialog.

    Every screen that was pushed has a future, and only a dialog's is awaited. A screen that nobody waits for, as the
    console itself or a dialog that a test opens, excuses no worker.
    """
    futures = [call.future for screen in app.screen_stack for call in screen._result_callbacks]
    awaited = sum(future is not None and bool(getattr(future, "_callbacks", None)) for future in futures)
    running = [worker for worker in app.workers if not worker.is_finished and worker.group != "wait"]
    return running if len(running) > awaited else []


def draw(app: App[None]) -> None:
    """Arrange and paint what has changed, without the wait of a sixtieth of a second for the next frame."""
    if app.screen_stack:
        app.screen._on_timer_update()
