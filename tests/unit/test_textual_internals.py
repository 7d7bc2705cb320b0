"""The names of Textual that are private and that the console relies on: an upgrade that moves one fails here first."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from textual import _ansi_sequences, _parser, _time, _xterm_parser, keys
from textual.app import App
from textual.binding import BindingsMap
from textual.command import CommandPalette
from textual.drivers.linux_driver import LinuxDriver
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

METHODS: tuple[tuple[Callable[..., Any], str], ...] = (
    (App._close_all, "(self)"),
    (App._fatal_error, "(self)"),
    (MessagePump._close_messages_no_wait, "(self)"),
    (Screen._compositor_refresh, "(self)"),
    (Screen._on_timer_update, "(self)"),
    (Widget._check_disabled, "(self)"),
    (Input._on_key, "(self, event)"),
    (Input._on_paste, "(self, event)"),
    (Input._restart_blink, "(self)"),
    (CommandPalette._select_or_command, "(self, event=None)"),
    (keys._normalize_key_list, "(keys)"),
    (_xterm_parser.XTermParser.__init__, "(self, debug=False)"),
    (_xterm_parser.XTermParser.feed, "(self, data)"),
    (_xterm_parser.XTermParser.tick, "(self)"),
    (BindingsMap.apply_keymap, "(self, keymap)"),
)
"""Each with its parameters and their defaults."""


@pytest.mark.parametrize(("method", "parameters"), METHODS, ids=lambda value: getattr(value, "__qualname__", ""))
def test_a_method_takes_what_it_is_given(method: Callable[..., Any], parameters: str) -> None:
    signature = inspect.signature(method)
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in signature.parameters.values()]
    assert str(inspect.Signature(bare)) == parameters


def test_enter_in_the_palette_is_handled_by_the_method_that_the_console_calls() -> None:
    """`Palette.submitted` prevents the default, and calls this one once the list is complete."""
    handlers = CommandPalette._decorated_handlers[Input.Submitted]
    assert CommandPalette._select_or_command in [handler for handler, _ in handlers]
    assert isinstance(CommandPalette._GATHER_COMMANDS_GROUP, str)


def test_the_parser_and_the_sequences_are_where_the_driver_looks() -> None:
    parser = _xterm_parser.XTermParser()
    assert parser._timeout_time is None
    assert isinstance(_time.get_time(), float)
    assert issubclass(_parser.ParseError, Exception)
    assert (_ansi_sequences.SYNC_START, _ansi_sequences.SYNC_END) == ("\x1b[?2026h", "\x1b[?2026l")
    assert (_xterm_parser.BRACKETED_PASTE_START, _xterm_parser.BRACKETED_PASTE_END) == ("\x1b[200~", "\x1b[201~")
    assert "\x1b[A" in _ansi_sequences.ANSI_SEQUENCES_KEYS


async def test_the_driver_keeps_its_file_its_thread_and_its_mouse_where_they_were() -> None:
    driver = LinuxDriver(App[None]())
    assert driver._key_thread is None
    assert driver._mouse_pixels is False
    assert driver._debug is False
    assert driver._app is not None
    assert hasattr(driver, "_file")
    for method in (LinuxDriver.run_input_thread, LinuxDriver.disable_input, LinuxDriver.suspend_application_mode):
        assert str(inspect.signature(method)).startswith("(self)")


def test_the_prepared_console_draws_through_the_method_that_it_overrides() -> None:
    assert str(inspect.signature(App._display)).startswith("(self, screen")
    for method in (asyncio.SelectorEventLoop._close_self_pipe, asyncio.SelectorEventLoop._make_self_pipe):  # type: ignore[attr-defined]  # not in typeshed
        assert str(inspect.signature(method)) == "(self)"


async def test_the_application_keeps_what_the_end_and_the_keys_need() -> None:
    app = App[None]()
    assert app._exit_renderables == []
    assert app._exception is None
    assert app._return_code is None
    async with app.run_test():
        assert app._driver is not None
        assert app._driver._size is None or app._driver._size == app._size
        assert app._keymap == {}
        assert isinstance(app._bindings, BindingsMap)
        chain = app.screen._binding_chain
        assert [node for node, _ in chain] == [app.screen, app]
        assert isinstance(app.screen, Screen)
        assert isinstance(app.screen._dirty_widgets, set)
        assert app.screen._update_timer._callback == app.screen._on_timer_update
        assert Widget.virtual_size._layout is True
        assert app.screen._get_default_css()[0][0][1] == "Screen.DEFAULT_CSS"
        assert isinstance(app._batch_count, int)
        assert {type(app.screen._layout_required), type(app.screen._repaint_required)} == {bool}
        assert all(isinstance(bindings, BindingsMap) for _, bindings in chain)
        assert isinstance(chain[-1][1].key_to_bindings, dict)
