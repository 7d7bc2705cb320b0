"""Steps that several tests of the console take."""

from dataclasses import replace

import pyotp
from textual.events import Key

from screens.console import Console
from screens.settings.two_factor_setup import TwoFactorSetup
from store.sections import NotificationSettings
from store.store import Store
from store.values.two_factor import Enrolment
from tests.harness.consoles import Stage
from tests.harness.stores import sign_in
from tui.widgets.footer import KeyFooter


def enable_two_factor(store: Store, token: str = "") -> Enrolment:
    token = token or sign_in(store)
    enrolment = store.two_factor.begin(token)
    store.two_factor.confirm_saved(token, enrolment.codes[0])
    store.two_factor.complete(token, pyotp.TOTP(enrolment.secret).at(store.context.now()))
    return enrolment


async def enrol(stage: Stage) -> tuple[str, tuple[str, ...]]:
    """Walk the three steps; returns the secret and the codes."""
    await stage.press("f")
    wizard = stage.app.screen
    assert isinstance(wizard, TwoFactorSetup)
    enrolment = wizard._open_enrolment
    await stage.press("enter")
    await stage.enter("saved-code", enrolment.codes[-1].lower())
    # The last digit completes the setup.
    await stage.fill("code", pyotp.TOTP(enrolment.secret).at(stage.clock.now()))
    return enrolment.secret, enrolment.codes


async def burst(stage: Stage, *typed: str) -> None:
    """Everything at once: words letter by letter, and keys by their names between `<` and `>`."""
    for word in typed:
        if word.startswith("<"):
            stage.app.post_message(Key(word[1:-1], None))
        else:
            for letter in word:
                stage.app.post_message(Key("space" if letter == " " else letter, letter))
    await stage.settle()


async def save_elsewhere(stage: Stage, threshold_micro_usd: int) -> None:
    token = sign_in(stage.store)
    base = stage.store.settings.load(token, NotificationSettings)
    stage.store.settings.save(token, replace(base.section, threshold_micro_usd=threshold_micro_usd), base.version)


async def open_module(stage: Stage, module: str) -> None:
    screen = stage.app.screen
    assert isinstance(screen, Console)
    screen.action_open_module(module)
    await stage.settle()


def footer_keys(stage: Stage, *, enabled: bool = True) -> list[str]:
    """The keys of the footer with their words, that work now or, grey, that do not."""
    footers = [footer for screen in stage.app.screen_stack for footer in screen.query(KeyFooter)]
    return [f"{hint.key} {hint.description}" for hint in footers[-1].hints if hint.enabled is enabled]
