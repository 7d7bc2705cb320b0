"""The screens before the console: first run, sign-in, second factor, lock."""

from tests.harness.console_steps import enable_two_factor
from tests.harness.consoles import PASSWORD, Stage
from tests.harness.stores import make_store, store_with_account
from tests.snapshots.conftest import Picture
from tests.snapshots.steps import click, fill


def test_first_run(picture: Picture) -> None:
    """Five rows in one column, the rules below them, one button."""
    picture(store=make_store(), signed_in=False)


def test_first_run_with_a_strong_password(picture: Picture) -> None:
    """A full bar with the word strong; the password as dots."""
    picture(fill("username", "alice"), fill("password", PASSWORD), store=make_store(), signed_in=False)


def test_first_run_refused(picture: Picture) -> None:
    """The sentence stands under the field it is about."""
    picture(
        fill("username", "with space"),
        fill("password", PASSWORD),
        fill("confirmation", PASSWORD),
        click("#create"),
        store=make_store(),
        signed_in=False,
    )


def test_sign_in(picture: Picture) -> None:
    """Two fields and one button in the middle of a calm screen."""
    picture(signed_in=False)


def test_sign_in_with_other_ways(picture: Picture) -> None:
    """A passkey and a provider are offered below the button."""
    store = store_with_account()
    from store.values.bindings import ProviderKind

    store.site.set("account_binding.enabled", "true")
    store.site.set("passkeys.enabled", "true")
    store.site.set("passkeys.rp_id", "localhost")
    store.site.set("passkeys.origin", "http://localhost:8787")
    store.bindings.add_provider("github", "GitHub", ProviderKind.GITHUB, issuer="", client_id="x", client_secret=None)
    picture(store=store, signed_in=False)


def test_sign_in_refused(picture: Picture) -> None:
    """One sentence that tells neither whether the name exists; the password is empty again."""
    picture(fill("username", "alice"), fill("password", "wrong password"), click("#sign-in"), signed_in=False)


def test_locked_out(picture: Picture) -> None:
    """The seconds that are left."""

    async def steps(stage: Stage) -> None:
        await stage.fill("username", "alice")
        for _ in range(6):
            await stage.fill("password", "wrong password")
            await stage.click("#sign-in")
        screen = stage.app.screen
        countdown = screen._countdown  # type: ignore[attr-defined] # the sign-in screen's
        countdown.pause()
        screen.wait_seconds = 60  # type: ignore[attr-defined] # the sign-in screen's

    picture(steps, signed_in=False)


def test_second_factor(picture: Picture) -> None:
    """One field for six digits or a backup code, and a way back."""
    store = store_with_account()
    enable_two_factor(store)

    picture(fill("username", "alice"), fill("password", PASSWORD), click("#sign-in"), store=store, signed_in=False)


def test_locked(picture: Picture) -> None:
    """Nothing of the account is on the screen."""
    picture("ctrl+l")
