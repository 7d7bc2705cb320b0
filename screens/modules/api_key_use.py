"""The dialog that shows how a client uses an API key: environment variables, curl, Python."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.widgets import Button, Static

from screens.account_modal import AccountModal, Notice
from screens.limited_text import reworded
from screens.save_file import FILES_ARE_OFF, save_file, saved_sentence, write_text
from store.text import sanitize
from tui.clipboard import copy
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.option_row import OptionRow

if TYPE_CHECKING:
    from store.values.api_keys import ApiKeyInfo

WAYS: Final = ("Shell", "curl", "Python")
_HERE: Final = "The address is the site's public address, or else that of gatekey serve on this machine."
_FILES: Final = ("gatekey.env", "gatekey-call.sh", "gatekey_call.py")


def usage_text(way: int, key: ApiKeyInfo, url: str, model: str) -> str:
    """The lines for one of `WAYS`. The secret is not known, so a placeholder stands for it.

    `model` may be any text: it is quoted for the shell and for Python.
    """
    name, last_four = sanitize(key.name, 64), sanitize(key.last_four, 8)
    model = sanitize(model, 200)
    if way == 0:
        return (
            f"# {name}: the key that ends in {last_four}\n"
            f"export OPENAI_BASE_URL={shlex.quote(url)}\n"
            "export OPENAI_API_KEY=sk-..."
        )
    if way == 1:
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}]}, ensure_ascii=False)
        return (
            f"curl {shlex.quote(f'{url}/chat/completions')} \\\n"
            '  -H "Authorization: Bearer $OPENAI_API_KEY" \\\n'
            '  -H "Content-Type: application/json" \\\n'
            f"  -d {shlex.quote(body)}"
        )
    return (
        "from openai import OpenAI\n\n"
        f"client = OpenAI(base_url={json.dumps(url)})  # reads OPENAI_API_KEY\n"
        "answer = client.chat.completions.create(\n"
        f"    model={json.dumps(model, ensure_ascii=False)},\n"
        '    messages=[{"role": "user", "content": "Hello"}],\n'
        ")\n"
        "print(answer.choices[0].message.content)"
    )


class UseKey(AccountModal[None]):
    HELP_TEXT: ClassVar[str] = (
        "Lines for a client of the gateway, which speaks the OpenAI protocol. Put the key where it says sk-...: only "
        "its hash is kept, so it cannot be shown here. " + _HERE
    )
    AUTO_FOCUS: ClassVar[str | None] = "OptionRow"

    @property
    def purpose(self) -> str:
        readable = self.account.capabilities.keeps_secrets_readable
        return reworded(
            self.HELP_TEXT,
            (readable, "only its hash is kept, so it cannot be shown here.", "it was shown when it was made."),
            (self.account.server, _HERE, "The address is that of your server."),
        )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy", id="use-key.copy", tooltip="Send these lines to the clipboard"),
        Binding("w", "save", "Save as file", id="use-key.save", tooltip="Write these lines to a file"),
    ]

    lines: reactive[str] = reactive("")

    def __init__(self, key: ApiKeyInfo) -> None:
        super().__init__()
        self._key = key
        self._url = self._model = ""

    def compose(self) -> ComposeResult:
        with Dialog(f"How to use {sanitize(self._key.name, 40)}", classes="-roomy"):
            yield OptionRow(WAYS, id="way")
            yield Static("…", id="usage-lines", markup=False, classes="spaced")
            if not self.account.files.are_allowed:
                yield Static(FILES_ARE_OFF, classes="muted files-off")
            yield Notice()
            with Actions():
                yield ActionButton("Copy", id="copy", shortcut="c")
                if self.account.files.are_allowed:
                    yield ActionButton("Save as file", id="save", shortcut="w")
                yield ActionButton("Close", id="cancel", shortcut="esc", variant="primary")

    def on_mount(self) -> None:
        self.watch(self.query_one(OptionRow), "value", self._show, init=False)
        self.load()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        url = await self.run_with_reauth(self.account.gateway_url)
        prices = None if self._key.limits.allowed_models else await self.run_with_reauth(self.account.prices)
        if url is None or not self.is_attached:
            return
        models = self._key.limits.allowed_models or [price.model for price in (prices.value if prices else ())]
        self._url, self._model = url.value, next(iter(models), "MODEL")
        self._show()

    def _show(self) -> None:
        if self._url:
            self.lines = usage_text(self.query_one(OptionRow).value, self._key, self._url, self._model)

    def watch_lines(self, lines: str) -> None:
        if lines:
            self.query_one("#usage-lines", Static).update(lines)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "save" and not self.account.files.are_allowed:
            return False
        return super().check_action(action, parameters)

    @on(Button.Pressed, "#copy")
    def action_copy(self) -> None:
        if self.lines:
            self.copy_lines()

    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        if self.lines:
            self.save_lines()

    @work(exclusive=True)
    async def copy_lines(self) -> None:
        copied = await copy(self.app, self.lines)
        self.say(f"{copied.sentence}.", "good")

    @work(exclusive=True)
    async def save_lines(self) -> None:
        name = _FILES[self.query_one(OptionRow).value]
        path = await save_file(self, "Save as file", name, write_text(self.account, self.lines + "\n"))
        if path is not None:
            self.say(saved_sentence(self.account, path), "good")
