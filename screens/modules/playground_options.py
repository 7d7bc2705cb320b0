"""The dialog with the options of a question: system prompt, temperature, longest answer, text or image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.widgets import Button, Input, Static

from screens.account_modal import AccountModal, Notice
from screens.limited_text import reworded
from store import inputs
from store.errors import InvalidInput
from store.values.playground import PlaygroundMode
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field, show_errors
from tui.widgets.text_input import TextInput
from tui.widgets.toggle import Toggle

DEFAULT_MAX_TOKENS: Final = 2048
"""So much is held for a question at first: without a limit it would be the longest answer that the model can give."""


@dataclass(frozen=True, slots=True)
class PlaygroundOptions:
    """The options of every question of a chat. None means the model's own."""

    system_prompt: str = ""
    temperature: float | None = None
    max_tokens: int | None = DEFAULT_MAX_TOKENS
    mode: PlaygroundMode = PlaygroundMode.TEXT


class EditOptions(AccountModal[PlaygroundOptions | None]):
    """Result: the options, or None if they stay as they were."""

    HELP_TEXT: ClassVar[str] = (
        "The system prompt stands before every question. A temperature of 0 gives the likeliest answer, 2 the most "
        "varied. The longest answer limits the cost. An image is made from your last message alone."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#system-prompt"

    @property
    def purpose(self) -> str:
        no_images = self.account.capabilities.no_images
        return reworded(self.HELP_TEXT, (no_images, " An image is made from your last message alone.", ""))

    def __init__(self, options: PlaygroundOptions) -> None:
        super().__init__()
        self._options = options

    def compose(self) -> ComposeResult:
        options = self._options
        temperature = "" if options.temperature is None else f"{options.temperature:g}"
        longest = "" if options.max_tokens is None else str(options.max_tokens)
        no_images = self.account.capabilities.no_images
        with Dialog("Options of the playground"):
            yield Field("System prompt", TextInput(options.system_prompt, id="system-prompt", placeholder="none"))
            yield Field("Temperature", TextInput(temperature, id="temperature", placeholder="the model's own"))
            yield Field("Longest answer, tokens", TextInput(longest, id="max-tokens", placeholder="no limit of yours"))
            if no_images:
                yield Static(no_images, classes="muted", markup=False)
            else:
                yield Field("Make an image", Toggle(value=options.mode is PlaygroundMode.IMAGE, id="image-mode"))
            yield Notice()
            with Actions():
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                yield ActionButton("Use these", id="use", shortcut="enter", variant="primary")

    @on(Input.Submitted)
    @on(Button.Pressed, "#use")
    def use_pressed(self) -> None:
        problems: dict[str, str] = {}
        temperature, max_tokens = None, None
        try:
            text = self._value("temperature")
            temperature = inputs.check_decimal(text, 0, 2, field="temperature") if text else None
        except InvalidInput as error:
            problems["temperature"] = str(error)
        try:
            text = self._value("max-tokens")
            max_tokens = inputs.check_whole(text, 1, 10_000_000, field="max-tokens") if text else None
        except InvalidInput as error:
            problems["max-tokens"] = str(error)
        show_errors(self, problems)
        if not problems:
            makes_image = any(toggle.value for toggle in self.query(Toggle))
            mode = PlaygroundMode.IMAGE if makes_image else PlaygroundMode.TEXT
            self.dismiss(PlaygroundOptions(self._value("system-prompt"), temperature, max_tokens, mode))

    def _value(self, field: str) -> str:
        return self.query_one(f"#{field}", Input).value.strip()
