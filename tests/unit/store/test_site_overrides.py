"""The settings of an account that the administrator's settings of the site override."""

import pytest

from store.sections import PriceSettings, PrivacySettings, Section, SidebarSettings
from store.site_overrides import site_overrides
from store.store import Store


@pytest.mark.parametrize(
    ("settings", "kind", "name", "words"),
    [
        ({"price.unpriced": "forbid"}, PriceSettings, "accept_unpriced_models", "refuses models without a price"),
        ({"price.unpriced": "account"}, PriceSettings, "", ""),
        ({"sidebar.hidden_modules": "wallet,playground"}, SidebarSettings, "hidden_modules", ": playground, wallet."),
        ({}, SidebarSettings, "", ""),
        ({"price.unpriced": "forbid", "sidebar.hidden_modules": "wallet"}, PrivacySettings, "", ""),
    ],
)
def test_an_overridden_setting_is_named_with_the_reason(
    store: Store, settings: dict[str, str], kind: type[Section], name: str, words: str
) -> None:
    for setting, value in settings.items():
        store.site.set(setting, value)
    with store.database.read() as tx:
        overrides = site_overrides(store.site, tx, kind)
    assert list(overrides) == ([name] if name else [])
    assert words in overrides.get(name, "")
