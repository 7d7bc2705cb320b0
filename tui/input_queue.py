"""The queue of keys typed ahead: each key is delivered after the one before has moved the focus.

Textual delivers a key to the widget that has the focus when the key is read, although the key before it, such as a
Tab, may still be on its way through widgets and bindings (8.2.8). Without the queue, a name, a Tab and a password that
arrive in one piece (a slow connection, a password manager) would all be typed into the name field, in plain sight.

A wait ends by an event: the key's message has passed, the screen that got the key has left the stack, or the context of
a hold has ended. Each wait also has a timeout.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from math import ceil
from typing import TYPE_CHECKING, Final

from textual.dom import NoScreen
from textual.events import Event, Key, Paste
from textual.message import Message

from tui.widgets.row_walk import is_typing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.app import App
    from textual.widget import Widget

KEY_TIMEOUT_S: Final = 0.5
"""Seconds after which a key counts as handled, whatever still delays its message."""
HOLD_TIMEOUT_S: Final = 1.0
"""Seconds after which a hold ends, although the database or the provider it waits for has not answered."""
TIMEOUT_STEP_S: Final = 0.05
"""Seconds between two checks of a wait. A timeout is counted in checks and not by the clock: a process that was stopped
(SIGSTOP) has done nothing meanwhile, and must not lose its keys when it continues."""
_ROUNDS: Final = 2
"""Passes through the ancestors of the focus: one behind the key, one behind the message that a binding made of it."""


class InputPassed(Message):
    """Follows a key from its widget up to the application; when it arrives there, the key has been handled."""

    def __init__(self, number: int, rounds: int) -> None:
        super().__init__()
        self.number = number
        self.rounds = rounds


class InputQueue:
    """Keys and pastes that wait. The application asks for the next one, delivers it and calls `follow`."""

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self._waiting: deque[Event] = deque()
        self._number = 0
        """Number of the key that is being handled."""
        self._is_under_way = False
        self._target: Widget | None = None
        """The widget that got the key, then the widget that has the focus."""
        self._holds: set[object] = set()

    @staticmethod
    def is_input(event: Event) -> bool:
        """True if `event` is typed or pasted, and was not delivered to a widget yet."""
        return isinstance(event, Key | Paste) and not event.is_forwarded

    def add(self, event: Event) -> None:
        """Append a typed event; `next` returns it in its turn."""
        self._waiting.append(event)

    def next(self) -> Event | None:
        """Remove and return the next event; None while a key is being handled or a hold is active.

        A key with a priority binding, such as lock, ends every hold, and the events before it are dropped: they were
        meant for a dialog that it covers.
        """
        if self._is_under_way or not self._waiting:
            return None
        if self._holds:
            urgent = next((event for event in self._waiting if self._has_priority(event)), None)
            if urgent is None:
                return None
            while self._waiting[0] is not urgent:
                self._waiting.popleft()
            self._holds.clear()
        return self._waiting.popleft()

    def release(self) -> None:
        """End every hold: a screen now covers the place where its result would show."""
        self._holds.clear()

    def drop(self) -> None:
        """End every hold and drop the waiting events: the place they were meant for is gone."""
        self._waiting.clear()
        self.release()

    @property
    def is_quiet(self) -> bool:
        """True if no key is being handled and no hold is active."""
        return not (self._is_under_way or self._holds)

    @contextmanager
    def hold(self, *, keeps: bool) -> Iterator[None]:
        """Keep events back until the block has ended and its result, a dialog or a filled form, is shown.

        After `HOLD_TIMEOUT_S` the waiting events are dropped, because letters meant for a dialog would be commands to
        the page; with `keeps` they are delivered to the focus instead.
        """
        hold = object()
        self._holds.add(hold)

        def end() -> None:
            if hold in self._holds:
                self._holds.remove(hold)
                if self.is_quiet and self._app.is_running:
                    self.follow(self._focus)

        def expire() -> None:
            if not keeps:
                self._waiting.clear()
            end()

        _expire_after(HOLD_TIMEOUT_S, lambda: hold in self._holds, expire)
        try:
            yield
        finally:
            # Behind the message that opens the dialog.
            if not self._app.call_later(end):
                end()

    def _has_priority(self, event: Event) -> bool:
        active = self._app.screen.active_bindings.get(event.key) if isinstance(event, Key) else None
        return active is not None and active.binding.priority

    def may_move_focus(self, event: Event) -> bool:
        """True if `event` can move the focus. A letter typed into a field cannot."""
        is_text = isinstance(event, Paste) or (isinstance(event, Key) and event.is_printable)
        return not (is_text and is_typing(self._app.focused))

    def follow(self, target: Widget) -> None:
        """Keep events back until the key just delivered to `target` has been handled."""
        self._number = number = self._number + 1
        self._is_under_way = True
        self._send(target, _ROUNDS)
        _expire_after(KEY_TIMEOUT_S, lambda: self._is_awaited(number), self._finish)

    def has_passed(self, message: InputPassed) -> None:
        """Begin the next round, or end the wait after the last one."""
        if message.number != self._number or not self._is_under_way:
            return
        if message.rounds > 1 and self._app.is_running:
            self._send(self._focus, message.rounds - 1)
        else:
            self._is_under_way = False

    def screen_left(self) -> None:
        """Begin the last round if the screen that got the key is no longer on the stack: its message may be lost."""
        if self._is_under_way and self._app.is_running and not self._can_arrive():
            self._send(self._focus, 1)

    @property
    def _focus(self) -> Widget:
        return self._app.focused or self._app.screen

    def _send(self, target: Widget, rounds: int) -> None:
        self._target = target
        if not self._can_arrive():
            self._target = self._focus
        if not self._target.post_message(InputPassed(self._number, rounds)):
            self._finish()

    def _finish(self) -> None:
        self._app.post_message(InputPassed(self._number, 1))

    def _is_awaited(self, number: int) -> bool:
        if number != self._number or not self._is_under_way or not self._app.is_running:
            return False
        if self._can_arrive():
            return True
        # A widget that is removed while its screen stays tells nobody.
        self._finish()
        return False

    def _can_arrive(self) -> bool:
        """True if a message from the target still reaches the application."""
        try:
            return self._target is not None and self._target.screen in self._app.screen_stack
        except NoScreen:
            return False


def _expire_after(timeout_s: float, is_awaited: Callable[[], bool], expire: Callable[[], None]) -> None:
    """Call `expire` once `is_awaited` held at every check for `timeout_s` seconds. Call it with a running loop."""
    loop = asyncio.get_running_loop()

    def check(steps_left: int) -> None:
        if not is_awaited():
            return
        if steps_left:
            loop.call_later(TIMEOUT_STEP_S, check, steps_left - 1)
        else:
            expire()

    check(ceil(timeout_s / TIMEOUT_STEP_S))
