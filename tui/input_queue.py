"""Keys that arrive together are each taken where the one before has put the focus.

Textual gives a key to the widget that has the focus when the key is read, though the key before it, a Tab for
example, is still on its way through widgets and bindings (8.2.8). Of what arrives in one piece, as over a slow
connection or from a password manager, a password would be typed into the field before its own, and be read there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from textual.dom import NoScreen
from textual.events import Event, Key, Paste
from textual.message import Message
from textual.widgets import Input

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import App
    from textual.widget import Widget

_ROUNDS: Final = 2
"""Ways up from the focus that follow a key: behind the key itself, then behind the message a binding made of it."""
_LOOK_EVERY: Final = 0.01
"""Seconds between two looks whether the screen is still there to which a key was given. It may go with the key."""
_LOOKS: Final = 50
"""After so many a key is taken to have worked, whatever keeps it. Not after so many seconds: a program that was
stopped for a while has done nothing in them."""
_LOOKS_OF_A_HOLD: Final = 100
"""After so many, held keys go on: a database or a provider may be slow."""


class InputPassed(Message):
    """Follows a key from the widget it was given to up to the application, and so arrives after it has worked."""

    def __init__(self, number: int, rounds: int) -> None:
        super().__init__()
        self.number = number
        self.rounds = rounds


class InputQueue:
    """Which keys wait. The application asks before it takes one, and follows it afterwards."""

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self._waiting: deque[Event] = deque()
        self._number = 0
        """Of the key that is under way."""
        self._is_under_way = False
        self._target: Widget | None = None
        """What it was given to, or what has the focus since."""
        self._held: set[object] = set()
        """What keys are held for."""

    @staticmethod
    def is_input(event: Event) -> bool:
        """Whether `event` is typed or pasted, and was not given to a widget yet."""
        return isinstance(event, Key | Paste) and not event.is_forwarded

    def add(self, event: Event) -> None:
        """What was typed; `next` gives it back when its turn has come."""
        self._waiting.append(event)

    def next(self) -> Event | None:
        """What is to be taken now; nothing while a key is under way, or keys are held.

        A key that works everywhere, as to lock, waits for no dialog: what was typed for that is forgotten.
        """
        if self._is_under_way or not self._waiting:
            return None
        if self._held:
            urgent = next((event for event in self._waiting if self._works_everywhere(event)), None)
            if urgent is None:
                return None
            while self._waiting[0] is not urgent:
                self._waiting.popleft()
            self._held.clear()
        return self._waiting.popleft()

    def release(self) -> None:
        """Hold nothing back any more: what was to come is covered."""
        self._held.clear()

    def drop(self) -> None:
        """Forget what waits, and what it waits for: where it was meant to go is no more."""
        self._waiting.clear()
        self.release()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is under way and nothing is held."""
        return not (self._is_under_way or self._held)

    @contextmanager
    def hold(self, *, keeps: bool) -> Iterator[None]:
        """What is typed within belongs to what comes of it: a dialog, or a form that is filled.

        If that takes too long, it is forgotten: letters meant for a dialog would be commands to the page. With
        `keeps`, it goes where the focus is.
        """
        hold = object()
        self._held.add(hold)

        def end() -> None:
            if hold in self._held:
                self._held.remove(hold)
                if self.is_quiet and self._app.is_running:
                    self.follow(self._app.focused or self._app.screen)

        def look(left: int) -> None:
            if hold not in self._held:
                return
            if left:
                loop.call_later(_LOOK_EVERY, look, left - 1)
                return
            if not keeps:
                self._waiting.clear()
            end()

        loop = asyncio.get_running_loop()
        look(_LOOKS_OF_A_HOLD)
        try:
            yield
        finally:
            # Behind what opens a dialog now.
            if not self._app.call_later(end):
                end()

    def _works_everywhere(self, event: Event) -> bool:
        active = self._app.screen.active_bindings.get(event.key) if isinstance(event, Key) else None
        return active is not None and active.binding.priority

    def may_move_focus(self, event: Event) -> bool:
        """Whether what comes after `event` may belong somewhere else: not after a letter in a field."""
        is_text = isinstance(event, Paste) or (isinstance(event, Key) and event.is_printable)
        return not (is_text and isinstance(self._app.focused, Input))

    def follow(self, target: Widget) -> None:
        """Hold back what comes until the key just given to `target` has worked."""
        self._number += 1
        self._is_under_way = True
        self._send(target, _ROUNDS)
        loop = asyncio.get_running_loop()
        loop.call_later(_LOOK_EVERY, self._look, loop, self._number, _LOOKS)

    def has_passed(self, message: InputPassed) -> None:
        """Note that a round has ended."""
        if message.number != self._number or not self._is_under_way:
            return
        if message.rounds > 1 and self._app.is_running:
            self._send(self._app.focused or self._app.screen, message.rounds - 1)
        else:
            self._is_under_way = False

    def _send(self, target: Widget, rounds: int) -> None:
        self._target = target
        if not target.post_message(InputPassed(self._number, rounds)):
            self._is_under_way = False

    def _look(self, loop: asyncio.AbstractEventLoop, number: int, left: int) -> None:
        if number != self._number or not self._is_under_way or not self._app.is_running:
            return
        if not left or not self._is_there():
            self._app.post_message(InputPassed(number, 1))
        else:
            loop.call_later(_LOOK_EVERY, self._look, loop, number, left - 1)

    def _is_there(self) -> bool:
        """Whether what follows the key can still come up to the application."""
        try:
            return self._target is not None and self._target.screen in self._app.screen_stack
        except NoScreen:
            return False
