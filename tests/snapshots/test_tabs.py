"""The six tabs in their usual states."""

from dataclasses import replace

import pytest

from store.errors import ModelNotPriced
from store.passkeys import NewCredential
from store.sections import NotificationSettings
from store.values.bindings import ProviderKind
from tests.harness.consoles import Stage
from tests.harness.quota_calls import spend_quota
from tests.harness.stores import add_account, make_store, sign_in, store_with_account
from tests.snapshots.conftest import Picture
from tests.snapshots.scenes import notified_store, used_store
from tests.snapshots.steps import fill, focus
from tui.themes import ANSI_DARK, LIGHT
from tui.widgets.toggle import Toggle

MAIN = ("2", "3", "4", "5", "6")
"""The tabs that are pictured at every size and in every theme."""


def test_security(picture: Picture) -> None:
    """Eight rows, one item each; labels in one column, buttons at the right edge; 2FA off in the warning colour."""
    picture()


def test_security_when_used(picture: Picture) -> None:
    """A token with its last four characters and age."""
    picture(store=used_store())


def test_security_with_two_factor(picture: Picture) -> None:
    """2FA on with its codes left, in green, in the row and in the line above; the button says Manage."""
    store = store_with_account()

    async def steps(stage: Stage) -> None:
        import pyotp

        from screens.settings.two_factor_setup import TwoFactorSetup

        await stage.press("f")
        wizard = stage.app.screen
        assert isinstance(wizard, TwoFactorSetup)
        await stage.press("enter")
        await stage.fill("saved-code", wizard._open_enrolment.codes[0])
        await stage.press("enter")
        await stage.fill("code", pyotp.TOTP(wizard._open_enrolment.secret).at(stage.clock.now()))

    picture(steps, store=store)


def test_security_with_passkeys(picture: Picture) -> None:
    """The administrator has switched passkeys on: one is registered, and the button says Manage."""
    store = store_with_account()
    store.site.set("passkeys.enabled", "true")
    store.passkeys.add(sign_in(store), "laptop", NewCredential(b"id", b"key", 0, "", (), True))
    picture(store=store)


def test_account_binding_disabled(picture: Picture) -> None:
    """One plain sentence that the administrator has disabled it, and what it would be for."""
    picture("1")


def test_account_binding_enabled(picture: Picture) -> None:
    """Two providers, one bound with its identity and one to bind."""
    store = store_with_account()
    store.site.set("account_binding.enabled", "true")
    store.bindings.add_provider("github", "GitHub", ProviderKind.GITHUB, issuer="", client_id="id", client_secret=None)
    store.bindings.add_provider(
        "corp", "Corporate SSO", ProviderKind.OIDC, issuer="https://sso.example.com", client_id="id", client_secret=None
    )
    store.bindings.bind(sign_in(store), "github", "583231", "octocat")
    picture("1", store=store)


def test_account_binding_without_providers(picture: Picture) -> None:
    """Enabled, but nobody to bind to: the sentence says who can change that."""
    store = store_with_account()
    store.site.set("account_binding.enabled", "true")
    picture("1", store=store)


def test_notifications(picture: Picture) -> None:
    """Four sections, three of one row; the account's address as the e-mail placeholder; Save grey."""
    picture("3")


def test_notifications_dirty(picture: Picture) -> None:
    """The tab is marked 3•, and Save can be pressed."""
    picture("3", fill("quota-warning-threshold", "2.50"))


def test_notifications_with_errors(picture: Picture) -> None:
    """Each error below its own field, all at once; the first field has the focus."""

    async def steps(stage: Stage) -> None:
        await stage.press("3")
        await stage.fill("email-address", "not an address")
        for control in ("channel-webhook", "channel-gotify"):
            stage.app.screen.query_one(f"#{control}", Toggle).value = True
        await stage.press("ctrl+s")

    picture(steps)


def test_notifications_stored(picture: Picture) -> None:
    """Stored secrets show as a hint only; a queued warning shows its next try beside its channel."""
    store = make_store()
    account = add_account(store)
    token = sign_in(store)
    saved = store.settings.load(token, NotificationSettings)
    section = replace(
        saved.section,
        webhook_on=True,
        webhook_url="https://hooks.example.com/quota",
        bark_url=saved.section.bark_url.replaced("https://api.day.app/devicekey"),
        gotify_url="https://gotify.example.com",
        gotify_token=saved.section.gotify_token.replaced("Atoken1234567890"),
    )
    store.settings.save(token, section, saved.version)
    spend_quota(store, account.id, 4_500_000)
    for job in store.outbox.lease():
        if job.channel.value == "email":
            store.outbox.delivered(job)
        else:
            store.outbox.failed(job, "the server answered 503", store.context.now())
    picture("3", store=store)


def test_notifications_delivered_and_failed(picture: Picture) -> None:
    """Two channels on, in green; what became of their last message at the right; the other two one row each."""
    picture("3", store=notified_store())


def test_notifications_entered(picture: Picture) -> None:
    """The fields of a channel that is off, after Enter on its row; the first of them has the focus."""
    picture("3", focus("#channel-gotify"), "enter")


def test_notifications_secret_to_be_cleared(picture: Picture) -> None:
    """The field says that the secret will be cleared on save; one unsaved change; Discard can be pressed."""
    picture("3", focus("#webhook-secret"), "ctrl+x", store=notified_store())


def test_price(picture: Picture) -> None:
    """Off, and what that means; nothing called without a price."""
    picture("4")


def test_price_accepting(picture: Picture) -> None:
    """On, with the warning about costs in the warning colour; three models seen."""
    picture("4", store=used_store())


def test_price_seen_while_off(picture: Picture) -> None:
    """A blocked model is listed all the same."""
    store = make_store()
    account = add_account(store)
    with pytest.raises(ModelNotPriced):
        store.pricing.admit(account.id, "gpt-unknown")
    picture("4", store=store)


def test_price_forbidden(picture: Picture) -> None:
    """The administrator decides: the switch is locked and says so, whatever is stored."""
    store = used_store()
    store.site.set("price.unpriced", "forbid")
    picture("4", store=store)


def test_privacy(picture: Picture) -> None:
    """Off; no entry holds an address; Erase cannot be pressed."""
    picture("5")


def test_privacy_recording(picture: Picture) -> None:
    """On; three entries hold an address; Erase can be pressed."""
    picture("5", store=used_store())


def test_sidebar(picture: Picture) -> None:
    """Eight modules in three areas, all shown, in one list."""
    picture("6")


def test_sidebar_with_some_modules_hidden(picture: Picture) -> None:
    """120x40: the dashboard area is amber and says some; the sidebar beside the form has lost the module."""
    picture("6", focus("#module-drawing-logs"), "space", size=(120, 40))


def test_sidebar_with_a_hidden_section(picture: Picture) -> None:
    """The dashboard section is off with its five modules."""
    picture("6", focus("#section-dashboard"), "space")


@pytest.mark.parametrize("tab", MAIN)
def test_wide(picture: Picture, tab: str) -> None:
    """120x40: the sidebar at the left, both areas named above the tabs."""
    picture(tab, size=(120, 40))


@pytest.mark.parametrize("tab", MAIN)
def test_small(picture: Picture, tab: str) -> None:
    """60x20: tabs shortened, everything reachable by scrolling, nothing torn."""
    picture(tab, size=(60, 20))


@pytest.mark.parametrize("tab", MAIN)
def test_light(picture: Picture, tab: str) -> None:
    """The light theme: dark words on light ground, the same hierarchy."""
    picture(tab, theme=LIGHT)


@pytest.mark.parametrize("tab", MAIN)
def test_ansi(picture: Picture, tab: str) -> None:
    """The terminal's own sixteen colours."""
    picture(tab, theme=ANSI_DARK)
