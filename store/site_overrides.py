"""The settings of an account that the administrator's settings of the site override.

Such a setting stays as the account saved it, and takes effect again when the administrator gives way.
"""

from sqlalchemy import Connection

from store.modules import MODULES
from store.sections import PriceSettings, Section, SidebarSettings
from store.site import Site

_UNPRICED_FORBIDDEN = "has no effect: the administrator of this site refuses models without a price."


def site_overrides(site: Site, tx: Connection, kind: type[Section]) -> dict[str, str]:
    """The overridden settings of a section, by name: how, as the rest of a sentence that begins with the name."""
    if kind is PriceSettings and forbids_unpriced(site, tx):
        return {"accept_unpriced_models": _UNPRICED_FORBIDDEN}
    if kind is SidebarSettings and (hidden := modules_hidden_from_all(site, tx)):
        listed = ", ".join(module for module in MODULES if module in hidden)
        return {"hidden_modules": f"only adds to what the administrator of this site hides from everyone: {listed}."}
    return {}


def forbids_unpriced(site: Site, tx: Connection) -> bool:
    """True if the administrator refuses models without a price, whatever an account accepts."""
    return site.text_in(tx, "price.unpriced") == "forbid"


def modules_hidden_from_all(site: Site, tx: Connection) -> frozenset[str]:
    """The modules that the administrator hides from everyone. Settings stays: it is the way back."""
    return frozenset(site.items_in(tx, "sidebar.hidden_modules")) - {"settings"}
