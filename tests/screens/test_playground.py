"""The playground: a question, its answer as it is written, what it cost, and what can go wrong."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from textual.events import Paste
from textual.widgets import Input, Markdown

from gateway.model_server.client import ModelServerClient
from gateway.playground import Playground
from screens.modules.chat_entry import AnswerEntry, QuestionEntry
from screens.modules.chat_log import ChatLog
from screens.modules.playground import PlaygroundPage
from screens.modules.playground_bar import PlaygroundBar
from screens.settings.page import SettingsPage
from store.errors import DatabaseBusy
from store.sections import PriceSettings
from store.store import Store
from store.values.billing import ModelPrice
from store.values.drawer import FetchPlace
from store.values.playground import PlaygroundMode
from tests.harness.console_steps import open_module
from tests.harness.consoles import Stage, console
from tests.harness.drawers import PLACE, fetch
from tests.harness.gateway_client import MODEL, make_relayed
from tests.harness.model_streams import PNG, USAGE, StreamingModelServer, event
from tests.harness.stores import make_store, sign_in
from tui.local_account import LocalAccount
from tui.widgets.message_input import MessageInput


@asynccontextmanager
async def playground(
    server: StreamingModelServer, size: tuple[int, int] = (80, 24), fetch_place: FetchPlace | None = None
) -> AsyncIterator[Stage]:
    """The page, with `server` behind the gateway; with a `fetch_place`, in the console of `gatekey ssh`."""
    with make_store() as store:
        make_relayed(store)
        async with console(store, size=size, fetch_place=fetch_place) as stage:
            account = stage.app.account
            assert isinstance(account, LocalAccount)
            account._playground = Playground(store, model_server=ModelServerClient(server))
            await open_module(stage, "playground")
            yield stage


def field(stage: Stage) -> MessageInput:
    return stage.app.screen.query_one(MessageInput)


def page(stage: Stage) -> PlaygroundPage:
    return stage.app.screen.query_one(PlaygroundPage)


async def ask(stage: Stage, text: str) -> None:
    assert field(stage).has_focus
    await stage.pilot.press(*("space" if letter == " " else letter for letter in text), "enter")


async def asked(stage: Stage, text: str) -> AnswerEntry:
    """Ask, and wait for the end."""
    await ask(stage, text)
    await stage.settle()
    return stage.app.screen.query(AnswerEntry).last()


def entries_in_log(store: Store) -> list[tuple[str, str, int]]:
    page = store.usage.page(sign_in(store))
    return [(each.entry.api_key_name, each.entry.status, each.entry.cost_micro_usd) for each in page.entries]


async def test_an_answer_appears_with_its_cost_and_the_chat_goes_on() -> None:
    server = StreamingModelServer()
    async with playground(server) as stage:
        await asked(stage, "hello")
        assert stage.says("Hello there")
        assert stage.says("10 in · 5 out · $0.00002")
        assert field(stage).text == ""
        assert field(stage).has_focus
        await asked(stage, "and more")
        assert [message["content"] for message in server.asked[1]["messages"]] == ["hello", "Hello there", "and more"]
        assert server.asked[1]["max_tokens"] == 2048
        assert entries_in_log(stage.store) == [("Playground", "ok", 20)] * 2
        assert stage.says("$4.99")


async def test_esc_stops_and_keeps_what_came() -> None:
    go_on = asyncio.Event()

    async def slow(_: dict[str, Any]) -> AsyncIterator[bytes]:
        yield event("kept words")
        await go_on.wait()
        yield USAGE

    async with playground(StreamingModelServer(slow)) as stage:
        await ask(stage, "hello")
        await stage.until(lambda: stage.says("kept words"))
        assert stage.says("writing… esc stops")
        await stage.pilot.press("h", "i", "enter")
        await stage.until(lambda: stage.says("The model is still answering."))
        assert field(stage).text == "hi"
        await stage.pilot.press("escape")
        go_on.set()
        await stage.settle()
        assert stage.says("kept words")
        assert stage.says("You stopped the answer; what had come was charged.")
        assert entries_in_log(stage.store) == [("Playground", "client_gone", 20)]
        # Now that nothing is being written, Esc leaves the field, and letters are keys.
        await stage.press("escape")
        assert not field(stage).has_focus


async def test_an_answer_that_breaks_off_keeps_its_text_and_says_so() -> None:
    async def broken(_: dict[str, Any]) -> AsyncIterator[bytes]:
        yield event("half an answer")
        raise httpx.ReadError("gone")

    async with playground(StreamingModelServer(broken)) as stage:
        await asked(stage, "hello")
        assert stage.says("half an answer")
        assert stage.says("✗ The model server broke off the connection.")
        ((_, status, cost),) = entries_in_log(stage.store)
        assert status == "upstream_broken"
        assert cost > 0


async def test_a_model_without_a_price_is_refused_and_the_way_out_is_a_key() -> None:
    server = StreamingModelServer()
    async with playground(server) as stage:
        await stage.press("escape", "m")
        await stage.pilot.press(*"brand-new")
        assert stage.says("brand-new ▲ no price, refused")
        await stage.press("enter")
        await stage.until(lambda: stage.says("▲ no price, refused (p)"))
        entry = await asked(stage, "hello")
        assert stage.says("does not accept models without price settings. Press p for the price settings.")
        assert entry.text == ""
        assert server.asked == []
        assert field(stage).text == "hello", "the question is given back"
        await stage.press("escape", "p")
        settings = stage.app.screen.query_one(SettingsPage)
        assert settings.display
        assert settings.active == "price"
        assert stage.app.focused is not None
        assert stage.app.focused.id == "accept-unpriced-models"
        token = sign_in(stage.store)
        stage.store.settings.save(token, PriceSettings(accept_unpriced_models=True), 1)
        await open_module(stage, "playground")
        assert field(stage).text == "hello"
        await stage.until(lambda: stage.says("▲ no price") and not stage.says("refused (p)"))
        await stage.press("i", "enter")
        assert stage.says("Hello there")
        assert stage.says("10 in · 5 out · free")


async def test_a_key_can_pay() -> None:
    async with playground(StreamingModelServer()) as stage:
        await stage.press("escape", "a", "down", "enter")
        assert stage.says("laptop")
        await asked(stage, "hello")
        assert entries_in_log(stage.store) == [("laptop", "ok", 20)]
        (key,) = stage.store.api_keys.list(sign_in(stage.store))
        assert key.spent_micro_usd == 20


async def test_options_are_checked_and_sent() -> None:
    server = StreamingModelServer()
    async with playground(server) as stage:
        await stage.press("escape", "o")
        await stage.fill("system-prompt", "Be brief.")
        await stage.fill("temperature", "3")
        await stage.fill("max-tokens", "0")
        await stage.press("enter")
        assert stage.says("Enter a number from 0 to 2, such as 0.7.")
        assert stage.says("Enter a whole number from 1 to 10000000.")
        await stage.fill("temperature", "0.5")
        await stage.fill("max-tokens", "99")
        await stage.press("enter")
        await asked(stage, "hello")
        sent = server.asked[0]
        assert (sent["temperature"], sent["max_tokens"]) == (0.5, 99)
        assert sent["messages"][0] == {"role": "system", "content": "Be brief."}
        await stage.press("escape", "o")
        assert stage.app.screen.query_one("#temperature", Input).value == "0.5"
        await stage.fill("temperature", "")
        await stage.fill("max-tokens", "")
        await stage.press("enter")
        await asked(stage, "again")
        assert "temperature" not in server.asked[1]
        assert "max_tokens" not in server.asked[1]


async def test_the_cost_is_estimated_while_one_types() -> None:
    async with playground(StreamingModelServer()) as stage:
        await stage.pilot.press(*"hello")
        await stage.until(lambda: "at most $" in str(field(stage).border_subtitle))
        await stage.pilot.press(*["backspace"] * 5)
        await stage.until(lambda: not field(stage).border_subtitle)


async def test_a_message_has_lines_and_holds_no_control_character() -> None:
    server = StreamingModelServer()
    async with playground(server) as stage:
        await stage.pilot.press("a", "ctrl+j", "b")
        field(stage).post_message(Paste("c\r\nd\x1b[31m\x07"))
        await stage.settle()
        await stage.press("enter")
        (message,) = server.asked[0]["messages"]
        assert message["content"] == "a\nbc\nd\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}"


async def test_nothing_in_an_answer_reaches_the_terminal_or_presses_a_button() -> None:
    hostile = "\x1b]0;PWNED\x07[@click=app.quit]quit[/] [a](javascript:x) \u202eDENWP\n\n<b>html</b>"

    async def planted(_: dict[str, Any]) -> AsyncIterator[bytes]:
        yield event(hostile)
        yield USAGE

    async with playground(StreamingModelServer(planted)) as stage:
        entry = await asked(stage, "hello")
        text = stage.text()
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
        assert "[@click=app.quit]quit[/]" in text
        assert not entry.query_one(Markdown)._open_links
        assert entry.text == hostile, "the model is told its own words"


async def test_copy_save_and_a_new_chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    async with playground(StreamingModelServer()) as stage:
        monkeypatch.setenv("SSH_CONNECTION", "here")
        monkeypatch.delenv("TMUX", raising=False)
        monkeypatch.setattr(stage.app, "copy_to_clipboard", copied.append)
        await stage.press("escape", "y")
        assert stage.says("There is no answer to copy yet.")
        await stage.press("w")
        assert stage.says("There is nothing to save yet.")
        await stage.press("i")
        await asked(stage, "hello")
        await stage.press("escape", "y")
        assert copied == ["Hello there"]
        await stage.press("w")
        target = tmp_path / "chat.md"
        await stage.fill("path", str(target))
        await stage.press("enter")
        assert target.read_text() == "## You\n\nhello\n\n## Model\n\nHello there\n"
        await stage.press("ctrl+n")
        assert not stage.app.screen.query(QuestionEntry)
        assert stage.says("Ask a model anything.")
        assert field(stage).has_focus


async def test_a_chat_goes_to_the_drawer_where_no_file_is_written() -> None:
    async with playground(StreamingModelServer(), fetch_place=PLACE) as stage:
        await asked(stage, "hello")
        await stage.press("escape", "w")
        assert stage.says("Saved to your drawer")
        await stage.press("escape")
        assert isinstance(stage.app.account, LocalAccount)
        (item,) = stage.store.drawer.list(stage.app.account._token)
        kept = fetch(stage.store, stage.app.account._token, item.name)
        assert kept.decode() == "## You\n\nhello\n\n## Model\n\nHello there\n"


async def test_an_image_is_an_address_or_a_file(tmp_path: Path) -> None:
    async with playground(StreamingModelServer()) as stage:
        await stage.press("escape", "o")
        stage.app.screen.query_one("#image-mode").focus()
        await stage.press("space", "shift+tab", "enter")
        assert page(stage).query_one(PlaygroundBar).options.mode is PlaygroundMode.IMAGE
        await asked(stage, "a cat")
        assert stage.says("https://pictures.test/1.png")
        assert stage.says(f"An image of {len(PNG)} bytes. Press w to save it.")
        await stage.press("escape", "w")
        assert stage.says("The last image")
        await stage.press("enter")
        target = tmp_path / "cat.png"
        await stage.fill("path", str(target))
        await stage.press("enter")
        assert target.read_bytes() == PNG


async def test_a_long_answer_is_drawn_in_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces, draws = 4000, list[int]()
    append = Markdown.append

    def counted(self: Markdown, markdown: str) -> object:
        draws.append(len(markdown))
        return append(self, markdown)

    async def long(_: dict[str, Any]) -> AsyncIterator[bytes]:
        for number in range(pieces):
            yield event(f"word {number:05} and a lot of words that follow it\n\n")
        yield USAGE

    monkeypatch.setattr(Markdown, "append", counted)
    async with playground(StreamingModelServer(long)) as stage:
        entry = await asked(stage, "hello")
        assert len(entry.text) == sum(draws) > 180_000
        assert len(draws) < pieces / 20
        assert stage.says("word 03999")


async def test_a_locked_session_asks_nothing() -> None:
    server = StreamingModelServer()
    async with playground(server) as stage:
        account = stage.app.account
        assert isinstance(account, LocalAccount)
        stage.store.sessions.lock(account._token)
        await asked(stage, "hello")
        assert server.asked == []
        assert field(stage).text == "hello"


async def test_the_model_is_named_in_the_request() -> None:
    server = StreamingModelServer()
    async with playground(server, size=(60, 20)) as stage:
        await asked(stage, "hello")
        assert json.dumps(server.asked[0]["model"]) == f'"{MODEL}"'
        assert stage.says("Hello there")


async def test_the_end_stays_in_view_until_one_scrolls_up() -> None:
    go_on = asyncio.Event()

    async def long(_: dict[str, Any]) -> AsyncIterator[bytes]:
        yield event("".join(f"paragraph {number}\n\n" for number in range(40)))
        await go_on.wait()
        yield event("".join(f"paragraph {number}\n\n" for number in range(40, 80)))
        yield USAGE

    async with playground(StreamingModelServer(long)) as stage:
        await ask(stage, "hello")
        await stage.until(lambda: stage.says("paragraph 39"))
        chat = stage.app.screen.query_one(ChatLog)
        chat.scroll_to(y=3, animate=False)
        await stage.until(lambda: chat.scroll_y == 3)
        go_on.set()
        await stage.settle()
        assert chat.scroll_y == 3
        assert not stage.says("paragraph 79")
        chat.scroll_end(animate=False)
        await asked(stage, "again")
        assert stage.says("10 in · 5 out")


async def test_messages_sent_at_once_are_one_question() -> None:
    server = StreamingModelServer()
    async with playground(server) as stage:
        for _ in range(5):
            field(stage).post_message(MessageInput.Sent("hello"))
        await stage.settle()
        assert len(server.asked) == 1


async def test_a_key_that_is_gone_stays_chosen_and_the_account_does_not_pay() -> None:
    server = StreamingModelServer()
    async with playground(server) as stage:
        await stage.press("escape", "a", "down", "enter")
        token = sign_in(stage.store)
        (key,) = stage.store.api_keys.list(token)
        stage.store.api_keys.revoke(token, key.id)
        page(stage).reload()
        await stage.settle()
        assert stage.says("▲ laptop")
        await ask(stage, "hello")
        await stage.settle()
        assert stage.says("This API key is no longer usable. Choose who pays with a.")
        assert server.asked == []


async def test_a_saved_chat_holds_nothing_that_a_terminal_obeys(tmp_path: Path) -> None:
    async def planted(_: dict[str, Any]) -> AsyncIterator[bytes]:
        yield event("\x1b]0;owned\x07 line\r\nnext ❤\ufe0f")
        yield USAGE

    async with playground(StreamingModelServer(planted)) as stage:
        await asked(stage, "hello")
        await stage.press("escape", "w")
        target = tmp_path / "chat.md"
        await stage.fill("path", str(target))
        await stage.press("enter")
        saved = target.read_text()
        assert not {"\x1b", "\x07", "\r"} & set(saved)
        assert "line\nnext ❤\n" in saved


async def test_what_cannot_be_read_is_said_with_the_key_that_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(_self: LocalAccount) -> list[ModelPrice]:
        raise DatabaseBusy

    with monkeypatch.context() as patch:
        patch.setattr(LocalAccount, "prices", busy)
        async with console(size=(80, 24)) as stage:
            await open_module(stage, "playground")
            assert stage.says(f"{DatabaseBusy()} F5 reads the page again.")
            assert stage.says("choose a model m")
