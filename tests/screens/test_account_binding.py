"""The Account Binding tab: one row for each provider, its keys, and what it says while there is nothing to bind."""

import pytest
from textual.widgets import Button

from screens.settings.binding_rows import ProviderRow
from store.errors import BindingsDisabled
from store.store import Store
from store.values.bindings import ProviderKind
from tests.harness.consoles import Stage, console
from tests.harness.homes import Home
from tests.harness.stores import sign_in, store_with_account
from tui.widgets.confirm import Confirm
from tui.widgets.section import Section

SIZES = [(60, 20), (80, 24), (120, 40), (160, 50)]


def with_providers(*, enabled: bool = True, bound: bool = True, providers: int = 3) -> Store:
    store = store_with_account()
    store.site.set("account_binding.enabled", "true")
    for number in range(providers):
        store.bindings.add_provider(
            f"idp{number}",
            f"Provider {number}",
            ProviderKind.OIDC,
            issuer=f"https://idp{number}.example",
            client_id="console",
            client_secret=None,
        )
    if bound:
        store.bindings.bind(sign_in(store), "idp0", "583231", "octo-alice")
    store.site.set("account_binding.enabled", "true" if enabled else "false")
    return store


def rows(stage: Stage) -> list[ProviderRow]:
    return list(stage.app.screen.query(ProviderRow))


def section(stage: Stage) -> Section:
    return stage.app.screen.query_one("#providers", Section)


async def test_each_provider_is_a_row_with_its_state(home: Home) -> None:
    home.add_provider("idp0", "Provider 0", identity="octo-alice")
    home.add_provider("idp1", "Provider 1")
    async with home.console(press="1") as stage:
        assert [row.slug for row in rows(stage)] == ["idp0", "idp1"]
        assert stage.says("● octo-alice")
        assert stage.says("○ not bound")
        assert section(stage).state.plain.startswith("1 of 2 bound")


async def test_it_says_that_an_identity_does_not_replace_the_second_factor(home: Home) -> None:
    home.add_provider("idp0", "Provider 0", identity="octo-alice")
    async with home.console(press="1") as stage:
        assert section(stage).state.plain == "1 of 1 bound · the second factor is still asked"


@pytest.mark.parametrize("size", SIZES)
async def test_each_provider_is_a_row_with_its_state_and_its_key(size: tuple[int, int]) -> None:
    async with console(with_providers(), size=size, press="1") as stage:
        assert stage.says("Identity providers")
        assert stage.says("● octo-alice · bound just now")
        assert stage.says("○ not bound")
        assert stage.says("Unbind d")
        assert stage.says("Bind b")
        assert section(stage).state.plain == "1 of 3 bound · the second factor is still asked"
        for row in rows(stage):
            assert row.region.contains_region(row.query_one(Button).region)


async def test_the_key_acts_on_the_focused_row(home: Home) -> None:
    home.add_provider("idp0", "Provider 0", identity="octo-alice")
    home.add_provider("idp1", "Provider 1")
    async with home.console() as stage:
        await stage.press("1")
        rows(stage)[0].query_one(Button).focus()
        await stage.settle()
        assert rows(stage)[0].help == "Unbind your identity at Provider 0."
        await stage.press("d")
        assert isinstance(stage.app.screen, Confirm), stage.text()
        assert stage.says("octo-alice at Provider 0 will no longer sign in")
        await stage.press("y")
        assert stage.says("The identity was unbound.")
        assert [row.query_one(Button).has_class("bind") for row in rows(stage)] == [True, True]
        assert section(stage).state.plain.startswith("0 of 2 bound")


async def test_without_a_focused_row_the_key_only_goes_to_one() -> None:
    async with console(with_providers()) as stage:
        await stage.press("1", "d")
        assert not isinstance(stage.app.screen, Confirm)
        assert stage.app.focused is rows(stage)[0].query_one(Button)
        await stage.press("b")
        assert stage.app.focused is rows(stage)[1].query_one(Button)


async def test_the_key_of_the_other_act_leaves_a_row_alone(home: Home) -> None:
    home.add_provider("idp0", "Provider 0")
    home.add_provider("idp1", "Provider 1")
    async with home.console() as stage:
        await stage.press("1", "down", "d")
        assert not isinstance(stage.app.screen, Confirm), "no identity is bound"
        assert stage.says("b Bind")
        assert not stage.says("d Unbind"), "the footer promises what can be done"
        await stage.press("2")
        assert stage.app.screen.query("#providers")
        await stage.press("d")
        assert not isinstance(stage.app.screen, Confirm), "the keys are those of the other tab"


async def test_a_refresh_keeps_the_rows_and_the_focus(home: Home) -> None:
    home.add_provider("idp0", "Provider 0", identity="octo-alice")
    home.add_provider("idp1", "Provider 1")
    async with home.console() as stage:
        await stage.press("1", "down")
        before, focused = rows(stage), stage.app.focused
        await stage.press("f5")
        assert rows(stage) == before
        assert stage.app.focused is focused


async def test_while_it_is_off_what_is_bound_can_still_be_unbound() -> None:
    async with console(with_providers(enabled=False), press="1") as stage:
        assert stage.says(BindingsDisabled.sentence)
        assert section(stage).state.plain == "○ disabled by the administrator"
        assert len(rows(stage)) == 1
        assert stage.says("d Unbind")
        assert not stage.says("b Bind")


async def test_without_providers_it_says_so() -> None:
    async with console(with_providers(providers=0, bound=False), press="1") as stage:
        assert stage.says("The administrator has not added a provider yet.")
        assert section(stage).state.plain == "○ none yet"
