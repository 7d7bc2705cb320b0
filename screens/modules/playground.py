"""Playground: instructions for a first call of a model."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.widgets import Static

from screens.account_modal import Notice
from screens.modules.module_page import ModulePage
from store.text import sanitize


class PlaygroundPage(ModulePage):
    HELP_TEXT: ClassVar[str] = (
        "What you need to try a model: a usable API key, the models that have a price, and a call to "
        "copy. The gateway speaks the OpenAI protocol, so any client of it works."
    )

    def compose(self) -> ComposeResult:
        yield Static("AI model testing environment", classes="section-title")
        yield Static("…", id="words", markup=False)
        yield Notice()

    def reload(self) -> None:
        self.load()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        keys, prices = (
            await self.run_with_reauth(self.account.api_keys),
            await self.run_with_reauth(self.account.prices),
        )
        if keys is None or prices is None:
            return
        usable = [key for key in keys.value if key.is_usable(self.account.now())]
        models = "\n".join(f"  {sanitize(price.model, 60)}" for price in prices.value[:12]) or "  none yet"
        first = "You have no usable API key yet; create one under API Keys." if not usable else ""
        self.query_one("#words", Static).update(
            f"{first}\n\nModels with a price:\n{models}\n\nThe gateway speaks the OpenAI protocol. Start it with\n\n"
            "  gatekey serve\n\nand point any client at it:\n\n"
            "  curl http://127.0.0.1:8787/v1/chat/completions \\\n"
            '    -H "Authorization: Bearer sk-…" \\\n    -H "Content-Type: application/json" \\\n'
            '    -d \'{"model": "MODEL", "messages":\n'
            '         [{"role": "user", "content": "Hello"}]}\''.lstrip()
        )
