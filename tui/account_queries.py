"""What takes several topics of the store, such as what a page shows at a glance. Blocking: for a worker thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.errors import PasskeysDisabled
from store.modules import MODULES
from tui.account import BindingOverview, PasskeyPage, PriceOverview, SecurityOverview, SignInWays, Summary

if TYPE_CHECKING:
    from store.passkey_ceremonies import CeremonyStarted
    from store.store import Store


def ways_to_sign_in(store: Store) -> SignInWays:
    """What there is beside a password."""
    providers = store.bindings.providers() if store.bindings.is_enabled() else []
    return SignInWays(store.passkeys.is_enabled() and bool(store.site.text("passkeys.origin")), tuple(providers))


def check_new_password(store: Store, token: str, password: str, known_words: tuple[str, ...]) -> None:
    """Raises `PasswordRefused` unless the password is good enough; `token` is empty before there is an account."""
    from store.passwords import check_new, prepare

    if token:
        acting = store.sessions.whoami(token)
        known_words = (acting.name, acting.email)
    shortest = store.passwords.shortest(token)
    check_new(prepare(password), known_words, estimator=store.context.estimator, shortest=shortest)


def summary(store: Store, token: str) -> Summary:
    """What the frame of the console shows. Raises `SessionEnded`."""
    from store.sections import SidebarSettings

    acting = store.sessions.whoami(token)
    locked = frozenset(store.site.items("sidebar.hidden_modules")) - {"settings"}
    hidden = store.settings.load(token, SidebarSettings).section.hidden_modules
    return Summary(
        name=acting.name,
        email=acting.email,
        remaining_micro_usd=store.quota.state(token).remaining_micro_usd,
        two_factor=store.two_factor.status(token),
        checks=tuple(store.recommendations.check(token)),
        hidden_modules=(hidden | locked) & frozenset(MODULES),
        locked_modules=locked,
    )


def security(store: Store, token: str) -> SecurityOverview:
    """What the Security tab shows. Raises `SessionEnded`."""
    account = store.accounts.get(store.sessions.whoami(token).account_id)
    return SecurityOverview(
        has_password=account.has_password,
        password_changed_at=account.password_changed_at,
        access_token=store.access_token.status(token),
        two_factor=store.two_factor.status(token),
        passkeys_enabled=store.passkeys.is_enabled(),
        passkeys=tuple(store.passkeys.list(token)),
        sessions=tuple(store.sessions.list(token)),
    )


def bindings(store: Store, token: str) -> BindingOverview:
    """What the Account Binding tab shows. Raises `SessionEnded`."""
    return BindingOverview(store.bindings.is_enabled(), tuple(store.bindings.list(token)))


def pricing(store: Store, token: str) -> PriceOverview:
    """What the Price tab shows besides its switch. Raises `SessionEnded`."""
    seen = store.pricing.unpriced_models(token)
    return PriceOverview(store.pricing.forbids_unpriced(), tuple(seen))


def passkey_page(store: Store, started: CeremonyStarted) -> PasskeyPage:
    """Where a browser answers a passkey ceremony. Raises `PasskeysDisabled`."""
    from gateway.pages import page_address

    origin = store.site.text("passkeys.origin")
    if not origin:
        raise PasskeysDisabled("The administrator has not configured where the passkey page is.")
    return PasskeyPage(page_address(origin), page_address(origin, started.code), started)
