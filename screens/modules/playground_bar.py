"""The line above a chat: the model, who pays, the options, and the price."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message

from screens.account_actions import AccountActions
from screens.modules.playground_choice import Choice, ChooseFromList
from screens.modules.playground_options import EditOptions, PlaygroundOptions
from store.errors import GatekeyError
from store.money import show_usd
from store.text import sanitize
from store.values.playground import ChatTurn, PlaygroundQuestion, Speaker
from tui.widgets.action_button import ActionButton
from tui.widgets.fitting_line import FittingLine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from store.values.api_keys import ApiKeyInfo
    from store.values.billing import ModelPrice

_THIS_ACCOUNT: Final = "this account"
_NO_KEY: Final = "no API key"
_UNUSABLE: Final = "This API key is no longer usable. Choose who pays with a."
_NO_PRICE: Final = "▲ no price"
_UNKNOWN_MODEL: Final = "a-model-that-nobody-has-priced"
"""Asked for the price of models that are in no list."""


class PlaygroundBar(AccountActions, Horizontal):
    """Holds what every question of a chat has in common. Each `choose_...` returns False if nothing was chosen."""

    @dataclass
    class Failed(Message):
        """The account refused what the bar asked for."""

        error: GatekeyError

    def __init__(self, **options: Any) -> None:
        """`options` are those of `Horizontal`."""
        super().__init__(**options)
        self.model = ""
        """The chosen model; empty if there is none."""
        self.options = PlaygroundOptions()
        self._prices: dict[str, ModelPrice] = {}
        self._seen: list[str] = []
        """Models without a price that the account has called."""
        self._keys: list[ApiKeyInfo] = []
        self._payer: ApiKeyInfo | None = None

    def compose(self) -> ComposeResult:
        yield ActionButton("…", id="model", shortcut="m")
        yield ActionButton(_THIS_ACCOUNT, id="payer", shortcut="a")
        yield ActionButton("Options", id="options", shortcut="o")
        yield FittingLine(id="playground-price", classes="muted")

    def show_failure(self, error: GatekeyError) -> None:
        self.post_message(self.Failed(error))

    async def load(self) -> bool:
        """Read what can be chosen. Returns False if the account refused it. Call it in a worker, as all below."""
        prices = await self.run_with_reauth(self.account.prices)
        overview = None if prices is None else await self.run_with_reauth(self.account.pricing)
        keys = None if overview is None else await self.run_with_reauth(self.account.api_keys)
        if prices is None or overview is None or keys is None:
            self._show()
            return False
        self._prices = {price.model: price for price in prices.value}
        self._seen = [seen.model for seen in overview.value.seen if seen.model not in self._prices]
        now = self.account.now()
        self._keys = [key for key in keys.value if key.is_usable(now)]
        if self._payer is None and self.account.capabilities.needs_paying_key:
            self._payer = next(iter(self._keys), None)
        if not self.model and self._prices:
            self.model = next(iter(self._prices))
        self._show()
        return True

    @property
    def is_payer_usable(self) -> bool:
        """False if the key that pays was revoked, has expired or is disabled, or a key has to pay and there is none."""
        if self._payer is None:
            return not self.account.capabilities.needs_paying_key
        return any(key.id == self._payer.id for key in self._keys)

    @property
    def why_nobody_pays(self) -> str:
        """The sentence for a payer who is not usable."""
        return self.account.capabilities.needs_paying_key if self._payer is None else _UNUSABLE

    def question(self, text: str, turns: Sequence[ChatTurn]) -> PlaygroundQuestion:
        """The question `text` after `turns`, with the model, the key and the options."""
        options = self.options
        return PlaygroundQuestion(
            model=self.model,
            turns=(*turns, ChatTurn(Speaker.USER, text)),
            key_id=self._payer.id if self._payer is not None else None,
            system_prompt=options.system_prompt,
            temperature=options.temperature,
            max_tokens=options.max_tokens,
            mode=options.mode,
        )

    async def choose_model(self) -> bool:
        without = await self.run_with_reauth(lambda: self.account.playground_price(_UNKNOWN_MODEL))
        if without is None:
            return False
        refused = f"{_NO_PRICE}, refused" if without.value.is_refused else _price_words(without.value.price)
        choices = [
            *(
                Choice(name, name, refused if without.value.is_refused else _price_words(price), is_marked=True)
                if price.is_default
                else Choice(name, name, _price_words(price))
                for name, price in self._prices.items()
            ),
            *(Choice(name, name, refused, is_marked=True) for name in self._seen),
        ]
        chosen = await self.app.push_screen_wait(ChooseFromList("Model", choices, chosen=self.model, takes_any=refused))
        if chosen is None:
            return False
        self.model = chosen
        self._show()
        return True

    async def choose_payer(self) -> bool:
        needs_key = self.account.capabilities.needs_paying_key
        choices = [] if needs_key else [Choice("", _THIS_ACCOUNT, "no key: the account's own quota")]
        choices += [Choice(str(key.id), f"{key.name} (sk-…{key.last_four})") for key in self._keys]
        if not choices:
            self.app.notify(needs_key, markup=False)
            return False
        chosen = await self.app.push_screen_wait(
            ChooseFromList("Paid by", choices, chosen=str(self._payer.id) if self._payer is not None else "")
        )
        if chosen is None:
            return False
        self._payer = next((key for key in self._keys if str(key.id) == chosen), None)
        self._show()
        return True

    async def choose_options(self) -> bool:
        edited = await self.app.push_screen_wait(EditOptions(self.options))
        if edited is None:
            return False
        self.options = edited
        self._show()
        return True

    def _show(self) -> None:
        nobody = _NO_KEY if self.account.capabilities.needs_paying_key else _THIS_ACCOUNT
        payer = self._payer.name if self._payer is not None else nobody
        # A key that is no longer usable stays chosen: the account must not pay in its place.
        mark = "" if self.is_payer_usable else "▲ "
        for name, label in (("#model", self.model or "choose a model"), ("#payer", f"{mark}{payer}")):
            button = self.query_one(name, ActionButton)
            button.label = Content(sanitize(label, 40))
            button.refresh(layout=True)
        self.show_price()

    @work(exclusive=True, group="price")
    async def show_price(self) -> None:
        """Show the price that the chosen model has for this account."""
        words: tuple[str, ...] = ()
        if self.model:
            with suppress(GatekeyError):
                found = await self.account.playground_price(self.model)
                refused = f"{_NO_PRICE}, refused (p)"
                words = (refused, _NO_PRICE) if found.is_refused else _short_price_words(found.price)
        self.query_one("#playground-price", FittingLine).words = words


def _price_words(price: ModelPrice | None) -> str:
    """The price, in words that take 31 cells or more."""
    if price is None:
        return _NO_PRICE
    into, out = _per_million(price)
    words = f"{into} in · {out} out / million"
    if price.is_default:
        return f"{_NO_PRICE}: {words}"
    return f"{words} · {_per_request(price)} each" if price.per_request else words


def _short_price_words(price: ModelPrice | None) -> tuple[str, ...]:
    """`_price_words`, and shorter words that tell the whole price too."""
    if price is None:
        return (_NO_PRICE,)
    if price.is_default:
        return _price_words(price), _NO_PRICE
    into, out = _per_million(price)
    each = f" + {_per_request(price)}" if price.per_request else ""
    return _price_words(price), f"{into} in · {out} out /M{each}", f"{into} · {out} /M{each}", f"{into}·{out}{each}"


def _per_million(price: ModelPrice) -> tuple[str, str]:
    return show_usd(price.input_per_million, exact=True), show_usd(price.output_per_million, exact=True)


def _per_request(price: ModelPrice) -> str:
    return show_usd(price.per_request, exact=True)
