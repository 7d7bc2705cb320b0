"""Playground: a chat with a model, at the account's expense."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button, TextArea

from screens.account_modal import Notice
from screens.modules.chat_entry import AnswerEntry
from screens.modules.chat_log import ChatLog
from screens.modules.module_page import BalanceChanged, ModulePage, SettingAsked
from screens.modules.playground_bar import PlaygroundBar
from screens.modules.playground_choice import Choice, ChooseFromList
from screens.save_file import save_file, saved_sentence, write_text
from store.errors import GatekeyError, ModelNotPriced, ServerFailed, SessionEnded, SessionLocked
from store.money import show_usd
from store.values.playground import ChatTurn, PlaygroundMode, PlaygroundQuestion, Speaker
from tui.clipboard import copy
from tui.widgets.message_input import MessageInput

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tui.account import RunningAnswer

ESTIMATE_PAUSE_S: Final = 0.3
"""Seconds after the last key before the cost of the message is estimated."""


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
        Binding("a", "payer", "Paid by", id="playground.payer", tooltip="Choose who pays"),
        Binding("o", "options", "Options", id="playground.options", tooltip="System prompt, temperature and more"),
        Binding("y", "copy", "Copy", id="playground.copy", tooltip="Copy the last answer"),
        Binding("w", "save", "Save", id="playground.save", tooltip="Save the chat, or an image in it, to a file"),
        Binding("ctrl+n", "clear", "New chat", id="playground.clear", tooltip="Forget this chat, and begin a new one"),
        Binding("p", "price", "Price settings", id="playground.price", show=False, tooltip="Open the price settings"),
        Binding("i,enter", "write", "Message", id="playground.write", show=False, tooltip="Go to the message field"),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 (Widget's)
        super().__init__(id=id, classes=classes)
        self.can_focus = False
        self._turns: list[ChatTurn] = []
        self._is_asking = False
        """True from the moment a message is sent until its answer has ended."""
        self._under_way: RunningAnswer | None = None

    @property
    def purpose(self) -> str:
        can = self.account.capabilities
        return " ".join(filter(None, (self.HELP_TEXT, can.needs_paying_key, can.no_cost_estimate, can.no_images)))

    def compose(self) -> ComposeResult:
        yield PlaygroundBar(id="playground-bar")
        yield ChatLog(id="chat")
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
        with self.reading():
            is_read = await self._bar.load()
            if not is_read:
                self.note_unread()
        if is_read:
            self._estimate_soon()

    @property
    def _bar(self) -> PlaygroundBar:
        return self.query_one(PlaygroundBar)

    @on(PlaygroundBar.Failed)
    def bar_failed(self, event: PlaygroundBar.Failed) -> None:
        if isinstance(event.error, ServerFailed):
            self.note_unread(event.error)
            return
        self.show_failure(event.error)
        self.offer_reload()

    @on(Button.Pressed, "#model")
    def action_model(self) -> None:
        self._choose(self._bar.choose_model)

    @on(Button.Pressed, "#payer")
    def action_payer(self) -> None:
        self._choose(self._bar.choose_payer)

    @on(Button.Pressed, "#options")
    def action_options(self) -> None:
        self._choose(self._bar.choose_options)

    def _choose(self, dialog: Callable[[], Awaitable[bool]]) -> None:
        async def steps() -> None:
            if await dialog():
                self._estimate_soon()
                self.focus()

        self.run_exclusive(steps)

    def action_price(self) -> None:
        self.post_message(SettingAsked("price", "accept-unpriced-models"))

    # -- a question and its answer --------------------------------------------------------------------------------

    @on(TextArea.Changed, "#message")
    def _estimate_soon(self) -> None:
        self.set_timer(ESTIMATE_PAUSE_S, self.estimate)

    @work(exclusive=True, group="estimate")
    async def estimate(self) -> None:
        field = self.query_one(MessageInput)
        text = field.text.strip()
        words = ""
        if text and self._bar.model and not self.account.capabilities.no_cost_estimate:
            with suppress(GatekeyError):
                estimate = await self.account.playground_estimate(self._bar.question(text, self._turns))
                most = estimate.most_micro_usd
                words = "no price" if most is None else f"at most {show_usd(most, exact=True)}"
        field.border_subtitle = words

    @on(MessageInput.Sent)
    def sent(self, event: MessageInput.Sent) -> None:
        if self._is_asking:
            self.query_one(Notice).say("The model is still answering. Esc stops it.", "warning")
            return
        if not self._bar.is_payer_usable:
            self.query_one(Notice).say(self._bar.why_nobody_pays, "warning")
            return
        if not self._bar.model:
            self.action_model()
            return
        self._is_asking = True
        self.query_one(Notice).clear_sentence()
        self.query_one(MessageInput).clear()
        self.run_worker(partial(self._answer, event.text), group="answer")

    async def _answer(self, text: str) -> None:
        question = self._bar.question(text, self._turns)
        entry = await self.query_one(ChatLog).ask(text, question.model)
        try:
            answer = await self.account.playground_answer(question)
            self._under_way = answer
            self.refresh_bindings()
            try:
                async for part in answer:
                    entry.take(part)
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
        self.query_one(ChatLog).clear()
        self.focus()

    def action_copy(self) -> None:
        self.run_worker(self._copy, group="copy", exclusive=True)

    async def _copy(self) -> None:
        answer = self.query_one(ChatLog).last_answer
        if answer:
            copied = await copy(self.app, answer)
            self.app.notify(f"{copied.sentence}: the last answer.", markup=False)
        else:
            self.app.notify("There is no answer to copy yet.", markup=False)

    def action_save(self) -> None:
        self.run_exclusive(self._save)

    async def _save(self) -> None:
        chat = self.query_one(ChatLog)
        images = chat.images
        what: str | None = "chat"
        if images:
            last = Choice("image", "The last image", f"{len(images[-1]):,} bytes")
            choice = ChooseFromList("Save", [last, Choice("chat", "The chat")], chosen="image")
            what = await self.app.push_screen_wait(choice)
        if what is None:
            return
        content: str | bytes = images[-1] if what == "image" else chat.as_markdown()
        if not content:
            self.app.notify("There is nothing to save yet.", markup=False)
            return
        name, title = ("image.png", "Save the image") if what == "image" else ("chat.md", "Save the chat")
        write: Callable[[Path], Awaitable[Path]] = write_text(self.account, content)
        path = await save_file(self, title, f"gatekey-{name}", write)
        if path is not None:
            self.app.notify(saved_sentence(self.account, path), markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 (as DOMNode has it)
        is_answering = self._under_way is not None
        if action in ("stop", "leave"):
            return is_answering if action == "stop" else not is_answering and self.query_one(MessageInput).has_focus
        if action == "save":
            return self.account.files.are_allowed
        return True
