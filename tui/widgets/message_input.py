"""The field for a message of several lines: Enter sends it."""

from dataclasses import dataclass
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.events import Key, Paste
from textual.message import Message
from textual.widgets import TextArea

from store.text import sanitize_lines


class MessageInput(TextArea):
    """Text without control characters. Enter posts `Sent`; ctrl+j begins a new line."""

    TAKES_TEXT: ClassVar[bool] = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Send", id="message.send", tooltip="Ask the model"),
        Binding(
            "ctrl+j,shift+enter", "new_line", "New line", id="message.new-line", show=False, tooltip="Begin a new line"
        ),
    ]

    @dataclass
    class Sent(Message):
        """The message was sent."""

        text: str

    def __init__(self, **options: Any) -> None:
        """`options` are those of `TextArea`."""
        super().__init__(
            soft_wrap=True,
            tab_behavior="focus",
            show_line_numbers=False,
            highlight_cursor_line=False,
            compact=True,
            **options,
        )
        # A cursor that blinks would draw twice a second while nobody types.
        self.cursor_blink = False

    def action_send(self) -> None:
        text = self.text.strip()
        if text:
            self.post_message(self.Sent(text))

    def action_new_line(self) -> None:
        self.insert("\n")

    async def _on_key(self, event: Key) -> None:
        # A text area inserts a line break before a binding sees the key (8.2.8).
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if binding.action in ("send", "new_line"):
                event.stop()
                event.prevent_default()
                await self.run_action(binding.action)
                return

    async def _on_paste(self, event: Paste) -> None:
        event.stop()
        event.prevent_default()
        self.insert(sanitize_lines(event.text.replace("\r\n", "\n").replace("\r", "\n")))
