"""Playground: a chat with a model, at the account's expense."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Static, TextArea

from screens.account_modal import Notice
from screens.modules.chat_entry import AnswerEntry, ChatLog, QuestionEntry
from screens.modules.module_page import BalanceChanged, ModulePage, SettingAsked
from screens.modules.playground_choice import Choice, ChooseFromList
from screens.modules.playground_options import EditOptions, PlaygroundOptions
from screens.save_file import save_file, write_text
from store.errors import GatekeyError, ModelNotPriced, SessionEnded, SessionLocked
from store.money import show_usd
from store.text import sanitize
from store.values.playground import (
    AnswerEnd,
    AnswerImage,
    AnswerText,
    ChatTurn,
    PlaygroundMode,
    PlaygroundQuestion,
    Speaker,
)
from tui.clipboard import copy
from tui.widgets.action_button import ActionButton
from tui.widgets.fitting_line import FittingLine
from tui.widgets.message_input import MessageInput

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from store.values.api_keys import ApiKeyInfo
    from store.values.billing import ModelPrice
    from tui.account import RunningAnswer

ESTIMATE_PAUSE_S: Final = 0.3
"""Seconds after the last key before the cost of the message is estimated."""
_THIS_ACCOUNT: Final = "this account"
_NO_PRICE: Final = "▲ no price"
_UNKNOWN_MODEL: Final = "a-model-that-nobody-has-priced"
"""Asked for the price of models that are in no list."""
_EMPTY: Final = (
    "Ask a model anything. Your message goes through the gateway like any call: it is charged, logged and limited. "
    "Choose the model with m and who pays with a; o has the system prompt, the temperature and the longest answer."
)


class PlaygroundPage(ModulePage):
    HELP_TEXT: ClassVar[str] = (
        "The AI model testing environment. Type a message and press Enter; the answer appears as it is written. Every "
        "answer costs what a call with a client costs, and appears in Usage Logs. Esc stops an answer; what had come "
        "is kept and charged. The chat is kept until you leave Gatekey."
    )
    IS_EXPLAINED: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "Stop", id="playground.stop", tooltip="Stop the answer; what came is kept"),
        Binding("escape", "leave", "Leave field", id="playground.leave", tooltip="Leave the message field"),
        Binding("m", "model", "Model", id="playground.model", tooltip="Choose the model"),
        Binding("a", "payer", "Paid by", id="playground.payer", tooltip="Choose the API key that pays, or the account"),
        Binding("o", "options", "Options", id="playground.options", tooltip="System prompt, temperature and more"),
        Binding("y", "copy", "Copy", id="playground.copy", tooltip="Copy the last answer"),
        Binding("w", "save", "Save", id="playground.save", tooltip="Save the chat, or its last image, to a file"),
        Binding("ctrl+n", "clear", "New chat", id="playground.clear", tooltip="Forget this chat, and begin a new one"),
        Binding("p", "price", "Price settings", id="playground.price", show=False, tooltip="Open the price settings"),
        Binding("i,enter", "write", "Message", id="playground.write", show=False, tooltip="Go to the message field"),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 (Widget's)
        super().__init__(id=id, classes=classes)
        self.can_focus = False
        self._prices: dict[str, ModelPrice] = {}
        self._seen: list[str] = []
        """Models without a price that the account has called."""
        self._keys: list[ApiKeyInfo] = []
        self._model = ""
        self._payer: ApiKeyInfo | None = None
        self._options = PlaygroundOptions()
        self._turns: list[ChatTurn] = []
        self._is_asking = False
        """True from the moment a message is sent until its answer has ended."""
        self._under_way: RunningAnswer | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(id="playground-bar"):
            yield ActionButton("…", id="model", shortcut="m")
            yield ActionButton(_THIS_ACCOUNT, id="payer", shortcut="a")
            yield ActionButton("Options", id="options", shortcut="o")
            yield FittingLine(id="playground-price", classes="muted")
        with ChatLog(id="chat"):
            yield Static(_EMPTY, id="chat-empty", classes="muted", markup=False)
        yield MessageInput(id="message", placeholder="Type here. Enter sends, ctrl+j makes a new line.")
        yield Notice()

    def on_mount(self) -> None:
        self.query_one(MessageInput).border_title = "Message"
        super().on_mount()

    def focus(self, scroll_visible: bool = True) -> PlaygroundPage:
        self.query_one(MessageInput).focus(scroll_visible)
        return self

    def reload(self) -> None:
        self.load()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        prices = await self.run_with_reauth(self.account.prices)
        overview = await self.run_with_reauth(self.account.pricing)
        keys = await self.run_with_reauth(self.account.api_keys)
        if prices is None or overview is None or keys is None:
            return
        self._prices = {price.model: price for price in prices.value}
        self._seen = [seen.model for seen in overview.value.seen if seen.model not in self._prices]
        now = self.account.now()
        self._keys = [key for key in keys.value if key.is_usable(now)]
        if not self._model and self._prices:
            self._model = next(iter(self._prices))
        self._show_settings()

    # -- the settings of the chat ---------------------------------------------------------------------------------

    def _show_settings(self) -> None:
        payer = self._payer.name if self._payer is not None else _THIS_ACCOUNT
        # A key that is no longer usable stays chosen: the account must not pay in its place.
        mark = "▲ " if self._payer is not None and not self._is_payer_usable else ""
        for name, label in (("#model", self._model or "choose a model"), ("#payer", f"{mark}{payer}")):
            button = self.query_one(name, ActionButton)
            button.label = Content(sanitize(label, 40))
            button.refresh(layout=True)
        self.show_price()
        self._estimate_soon()

    @property
    def _is_payer_usable(self) -> bool:
        return self._payer is None or any(key.id == self._payer.id for key in self._keys)

    @work(exclusive=True, group="price")
    async def show_price(self) -> None:
        """Show the price that the chosen model has for this account."""
        words: tuple[str, ...] = ()
        if self._model:
            with suppress(GatekeyError):
                found = await self.account.playground_price(self._model)
                refused = f"{_NO_PRICE}, refused (p)"
                words = (refused, _NO_PRICE) if found.is_refused else _short_price_words(found.price)
        self.query_one("#playground-price", FittingLine).words = words

    @on(Button.Pressed, "#model")
    def action_model(self) -> None:
        self.run_exclusive(self._choose_model)

    async def _choose_model(self) -> None:
        without = await self.run_with_reauth(lambda: self.account.playground_price(_UNKNOWN_MODEL))
        if without is None:
            return
        refused = f"{_NO_PRICE}, refused" if without.value.is_refused else _price_words(without.value.price)
        choices = [
            *(Choice(name, name, _price_words(price)) for name, price in self._prices.items()),
            *(Choice(name, name, refused, is_marked=True) for name in self._seen),
        ]
        chosen = await self.app.push_screen_wait(
            ChooseFromList("Model", choices, chosen=self._model, takes_any=refused)
        )
        if chosen is not None:
            self._model = chosen
            self._show_settings()
            self.focus()

    @on(Button.Pressed, "#payer")
    def action_payer(self) -> None:
        self.run_exclusive(self._choose_payer)

    async def _choose_payer(self) -> None:
        choices = [Choice("", _THIS_ACCOUNT, "no key: the account's own quota")]
        choices += [Choice(str(key.id), f"{key.name} (sk-…{key.last_four})") for key in self._keys]
        chosen = await self.app.push_screen_wait(
            ChooseFromList("Paid by", choices, chosen=str(self._payer.id) if self._payer is not None else "")
        )
        if chosen is not None:
            self._payer = next((key for key in self._keys if str(key.id) == chosen), None)
            self._show_settings()
            self.focus()

    @on(Button.Pressed, "#options")
    def action_options(self) -> None:
        self.run_exclusive(self._edit_options)

    async def _edit_options(self) -> None:
        edited = await self.app.push_screen_wait(EditOptions(self._options))
        if edited is not None:
            self._options = edited
            self._show_settings()
            self.focus()

    def action_price(self) -> None:
        self.post_message(SettingAsked("price", "accept-unpriced-models"))

    # -- a question and its answer --------------------------------------------------------------------------------

    def _question(self, text: str) -> PlaygroundQuestion:
        options = self._options
        return PlaygroundQuestion(
            model=self._model,
            turns=(*self._turns, ChatTurn(Speaker.USER, text)),
            key_id=self._payer.id if self._payer is not None else None,
            system_prompt=options.system_prompt,
            temperature=options.temperature,
            max_tokens=options.max_tokens,
            mode=options.mode,
        )

    @on(TextArea.Changed, "#message")
    def _estimate_soon(self) -> None:
        self.set_timer(ESTIMATE_PAUSE_S, self.estimate)

    @work(exclusive=True, group="estimate")
    async def estimate(self) -> None:
        field = self.query_one(MessageInput)
        text = field.text.strip()
        words = ""
        if text and self._model:
            with suppress(GatekeyError):
                estimate = await self.account.playground_estimate(self._question(text))
                most = estimate.most_micro_usd
                words = "no price" if most is None else f"at most {show_usd(most, exact=True)}"
        field.border_subtitle = words

    @on(MessageInput.Sent)
    def sent(self, event: MessageInput.Sent) -> None:
        if self._is_asking:
            self.query_one(Notice).say("The model is still answering. Esc stops it.", "warning")
            return
        if self._payer is not None and not self._is_payer_usable:
            self.query_one(Notice).say("This API key is no longer usable. Choose who pays with a.", "warning")
            return
        if not self._model:
            self.action_model()
            return
        self._is_asking = True
        self.query_one(Notice).clear_sentence()
        self.query_one(MessageInput).clear()
        self.run_worker(partial(self._answer, event.text), group="answer")

    async def _answer(self, text: str) -> None:
        question = self._question(text)
        chat, entry = self.query_one(ChatLog), AnswerEntry(question.model)
        self.query_one("#chat-empty").display = False
        await chat.mount(QuestionEntry(text), entry)
        chat.follow()
        try:
            answer = await self.account.playground_answer(question)
            self._under_way = answer
            self.refresh_bindings()
            try:
                async for part in answer:
                    self._add(entry, part)
            finally:
                await answer.aclose()
        except SessionEnded as error:
            self.app.session_ended(error)
        except (GatekeyError, SessionLocked) as error:
            self._refused(entry, text, error)
        else:
            self._remember(question, entry)
        finally:
            self._under_way, self._is_asking = None, False
            if self.is_attached:
                self.refresh_bindings()

    def _add(self, entry: AnswerEntry, part: AnswerText | AnswerImage | AnswerEnd) -> None:
        match part:
            case AnswerText(piece, is_reasoning=True):
                entry.add_reasoning(piece)
            case AnswerText(piece):
                entry.add(piece)
            case AnswerImage(url, data):
                entry.add_image(url, data)
            case AnswerEnd():
                entry.finish(part)

    def _remember(self, question: PlaygroundQuestion, entry: AnswerEntry) -> None:
        """Keep the question and the answer for the next question. Without a word there is no answer."""
        if entry.text and question.mode is PlaygroundMode.TEXT:
            self._turns = [*question.turns, ChatTurn(Speaker.ASSISTANT, entry.text)]
        self.post_message(BalanceChanged())

    def _refused(self, entry: AnswerEntry, text: str, error: GatekeyError) -> None:
        """Show why there is no answer, and give the question back."""
        way = " Press p for the price settings." if isinstance(error, ModelNotPriced) else ""
        entry.fail(f"{error.title}. {error}{way}")
        field = self.query_one(MessageInput)
        if not field.text:
            field.text = text

    # -- acts ----------------------------------------------------------------------------------------------------

    def action_stop(self) -> None:
        if self._under_way is not None:
            self._under_way.stop()

    def action_leave(self) -> None:
        self.query_one("#chat").focus()

    def action_write(self) -> None:
        self.focus()

    def action_clear(self) -> None:
        if self._under_way is not None:
            self._under_way.stop()
            return
        self._turns = []
        self.query(QuestionEntry).remove()
        self.query(AnswerEntry).remove()
        self.query_one("#chat-empty").display = True
        self.focus()

    def action_copy(self) -> None:
        self.run_worker(self._copy, group="copy", exclusive=True)

    async def _copy(self) -> None:
        answers = [entry.shown_text for entry in self.query(AnswerEntry) if entry.text]
        if answers:
            copied = await copy(self.app, answers[-1])
            self.app.notify(f"{copied.sentence}: the last answer.", markup=False)
        else:
            self.app.notify("There is no answer to copy yet.", markup=False)

    def action_save(self) -> None:
        self.run_exclusive(self._save)

    async def _save(self) -> None:
        images = [image for entry in self.query(AnswerEntry) for image in entry.images]
        what: str | None = "chat"
        if images:
            last = Choice("image", "The last image", f"{len(images[-1]):,} bytes")
            what = await self.app.push_screen_wait(
                ChooseFromList("Save", [last, Choice("chat", "The chat")], chosen="image")
            )
        if what is None:
            return
        content: str | bytes = images[-1] if what == "image" else self._as_markdown()
        if not content:
            self.app.notify("There is nothing to save yet.", markup=False)
            return
        name, title = ("image.png", "Save the image") if what == "image" else ("chat.md", "Save the chat")
        write: Callable[[Path], Awaitable[Path]] = write_text(self.account, content)
        path = await save_file(self, title, f"gatekey-{name}", write)
        if path is not None:
            self.app.notify(f"Saved as {sanitize(path, 120)}", markup=False)

    def _as_markdown(self) -> str:
        entries = [entry for entry in self.query(".chat-entry") if isinstance(entry, QuestionEntry | AnswerEntry)]
        said = ((entry, entry.text if isinstance(entry, QuestionEntry) else entry.shown_text) for entry in entries)
        return "\n".join(
            f"## {'You' if isinstance(entry, QuestionEntry) else 'Model'}\n\n{text}\n" for entry, text in said
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 (as DOMNode has it)
        is_answering = self._under_way is not None
        if action in ("stop", "leave"):
            return is_answering if action == "stop" else not is_answering and self.query_one(MessageInput).has_focus
        if action == "save":
            return self.account.files.are_allowed
        return True


def _price_words(price: ModelPrice | None) -> str:
    """The price, in words that take 31 cells or more."""
    if price is None:
        return _NO_PRICE
    into, out = _per_million(price)
    words = f"{into} in · {out} out / million"
    return f"{words} · {_per_request(price)} each" if price.per_request else words


def _short_price_words(price: ModelPrice | None) -> tuple[str, ...]:
    """`_price_words`, and shorter words that tell the whole price too."""
    if price is None:
        return (_NO_PRICE,)
    into, out = _per_million(price)
    each = f" + {_per_request(price)}" if price.per_request else ""
    return _price_words(price), f"{into} in · {out} out /M{each}", f"{into} · {out} /M{each}", f"{into}·{out}{each}"


def _per_million(price: ModelPrice) -> tuple[str, str]:
    return show_usd(price.input_per_million, exact=True), show_usd(price.output_per_million, exact=True)


def _per_request(price: ModelPrice) -> str:
    return show_usd(price.per_request, exact=True)
