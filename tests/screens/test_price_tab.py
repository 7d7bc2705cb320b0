"""The Price tab: its switch, what an administrator overrides, and models without a price."""

import pytest

from store.sections import PriceSettings
from tests.harness.consoles import console
from tests.harness.homes import Home
from tests.harness.stored_sections import stored_section
from tests.harness.stores import add_account, make_store, sign_in, store_with_account
from tui.widgets.toggle import Toggle


async def test_a_price_switch_is_saved_only_with_save(home: Home) -> None:
    async with home.console(press="4") as stage:
        await stage.toggle("accept-unpriced-models")
        assert stage.says("unpredictable costs")
        assert await home.stored(PriceSettings) == PriceSettings(False)
        await stage.press("ctrl+s")
        assert stage.says("Saved.")
        assert await home.stored(PriceSettings) == PriceSettings(True)


async def test_a_price_switch_that_the_administrator_overrides_says_so_and_keeps_what_is_stored() -> None:
    store = store_with_account()
    store.settings.save(sign_in(store), PriceSettings(True), 1)
    store.site.set("price.unpriced", "forbid")
    sentence = "The administrator of this site refuses models without a price; this switch has no effect here."
    async with console(store, press="4") as stage:
        switch = stage.app.screen.query_one("#accept-unpriced-models", Toggle)
        assert switch.disabled
        assert stage.says("Accept Models Without Price Settings ●━ refused by admin")
        assert stage.says(sentence)
        assert not stage.says("are allowed")
        assert stored_section(stage, PriceSettings) == PriceSettings(True)
        store.site.set("price.unpriced", "account")
        await stage.press("5", "4")
        assert not switch.disabled
        assert stage.says("Accept Models Without Price Settings ━● on")
        assert stage.says("Calls to models without configured pricing are allowed.")
        assert not stage.says(sentence)


async def test_models_without_a_price_are_listed() -> None:
    store = make_store()
    account = add_account(store)
    with pytest.raises(Exception, match="has no price"):
        store.pricing.admit(account.id, "mystery-[red]model")
    async with console(store, press="4") as stage:
        assert stage.says("mystery-[red]model")
