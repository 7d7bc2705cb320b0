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


class KeyPassed(Message):
    """Follows a key from the widget it was given to up to the application, and so arrives after it has worked."""

    def __init__(self, number: int, rounds: int) -> None:
        super().__init__()
        self.number = number
        self.rounds = rounds


class KeyOrder:
    """Which keys wait. The application asks before it takes one, and follows it afterwards."""

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self._waiting: deque[Event] = deque()
        self._number = 0
        """Of the key that is under way."""
        self._is_under_way = False
        self._target: Widget | None = None
        """What it was given to, or what has the focus since."""
        self._holds = 0

    @staticmethod
    def is_input(event: Event) -> bool:
        """Whether `event` is typed or pasted, and was not given to a widget yet."""
        return isinstance(event, Key | Paste) and not event.is_forwarded

    def must_wait(self, event: Event) -> bool:
        """Whether keys are held or one is under way; then `event` waits, and comes back from `next`."""
        if self._must_wait:
            self._waiting.append(event)
        return self._must_wait

    def next(self) -> Event | None:
        """What has waited longest, if nothing is under way."""
        return self._waiting.popleft() if self._waiting and not self._must_wait else None

    def _forget(self) -> None:
        active = self._app.screen.active_bindings if self._app.is_running else {}
        everywhere = {key for key, binding in active.items() if binding.binding.priority}
        kept = [event for event in self._waiting if isinstance(event, Key) and event.key in everywhere]
        self._waiting = deque(kept)

    def drop(self) -> None:
        """Forget what waits: where it was meant to go is no more."""
        self._waiting.clear()

    @property
    def _must_wait(self) -> bool:
        return self._is_under_way or self._holds > 0

    @contextmanager
    def hold(self, *, keeps: bool) -> Iterator[None]:
        """What is typed within belongs to what comes of it: a dialog, or a form that is filled.

        If that takes too long, it is forgotten, but for keys that work everywhere: letters meant for a dialog would
        be commands to the page. With `keeps`, it goes where the focus is.
        """
        self._holds += 1
        is_over = False

        def end() -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                self._holds -= 1
                if self._holds == 0 and not self._is_under_way and self._app.is_running:
                    self.follow(self._app.focused or self._app.screen)

        def look(left: int) -> None:
            if not left:
                if not is_over and not keeps:
                    self._forget()
                end()
            elif not is_over:
                loop.call_later(_LOOK_EVERY, look, left - 1)

        loop = asyncio.get_running_loop()
        look(_LOOKS_OF_A_HOLD)
        try:
            yield
        finally:
            # Behind what opens a dialog now.
            if not self._app.call_later(end):
                end()

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

    def has_passed(self, message: KeyPassed) -> None:
        """Note that a round has ended."""
        if message.number != self._number or not self._is_under_way:
            return
        if message.rounds > 1 and self._app.is_running:
            self._send(self._app.focused or self._app.screen, message.rounds - 1)
        else:
            self._is_under_way = False

    def _send(self, target: Widget, rounds: int) -> None:
        self._target = target
        if not target.post_message(KeyPassed(self._number, rounds)):
            self._is_under_way = False

    def _look(self, loop: asyncio.AbstractEventLoop, number: int, left: int) -> None:
        if number != self._number or not self._is_under_way or not self._app.is_running:
            return
        if not left or not self._is_there():
            self._app.post_message(KeyPassed(number, 1))
        else:
            loop.call_later(_LOOK_EVERY, self._look, loop, number, left - 1)

    def _is_there(self) -> bool:
        """Whether what follows the key can still come up to the application."""
        try:
            return self._target is not None and self._target.screen in self._app.screen_stack
        except NoScreen:
            return False
