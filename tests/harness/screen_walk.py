"""A walk through every screen a person can open, with a look at each."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from pkgutil import walk_packages
from typing import Final

from rich.segment import Segment
from sqlalchemy import Table, select, update
from textual.app import App
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

import screens
from screens.app import GatekeyApp
from screens.bind_in_browser import BindInBrowser
from screens.bind_provider import ProviderLogin
from screens.console import Console
from screens.passkey_ceremony import PasskeyCeremony
from screens.settings.bind_email import BindEmail
from screens.settings.conflict import Conflict
from screens.settings.page import SettingsPage
from screens.settings.register_on_page import RegisterOnPage
from screens.settings.two_factor_setup import TwoFactorSetup
from screens.sign_up import SignUpForm
from store.errors import DeliveryFailed, FreshProofRequired, ProviderFailed
from store.models import EmailConfirmation, NotificationSettingsRow, SidebarSettingsRow
from store.models import PasskeyCeremony as PasskeyCeremonyRow
from store.modules import MODULES
from store.sections import Channel
from store.store import Store
from store.values.bindings import ProviderInfo, ProviderKind
from store.values.drawer import FetchPlace
from store.values.notifications import LastDelivery
from store.values.passkeys import CeremonyState
from tests.harness.consoles import Stage
from tests.harness.full_account import PASSWORD
from tests.harness.hostile_text import Payload, is_obeyed, marker, string_columns
from tests.harness.stores import StillClock
from tui.account import BrowserLogin, DeviceLogin, FoundIdentity, SignUp, Summary
from tui.keymap import ConsoleConfig
from tui.local_account import LocalAccount
from tui.store_location import Options
from tui.widgets.confirm import Confirm
from tui.widgets.toggle import Toggle

NAME: Final = "alice"
SIZE: Final = (140, 60)
"""Columns and rows: so large that a dialog hides little, and nothing scrolls out of sight."""


_DRAWN: Final = frozenset("▌█▁▔ ")
"""Glyphs that are seen as a colour, not read."""


@dataclass
class Seen:
    """The findings of one walk."""

    screens: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    """The classes of the screens."""
    obeyed: list[str] = field(default_factory=list)
    """Places whose text a terminal would have obeyed."""
    armed: list[str] = field(default_factory=list)
    """Places whose text carried an action or a link."""
    shown: set[tuple[str, str]] = field(default_factory=set)
    """The columns whose marker could be read."""
    literal: int = 0
    """Looks at which markup could be read as it stands."""
    invisible: list[str] = field(default_factory=list)
    """Places with a text in the colour of its ground."""

    def look(self, app: App[None], where: str) -> None:
        """Inspect every segment of what the screen shows now."""
        segments = segments_of(app)
        text = "".join(segment.text for segment in segments)
        self.screens.append(where)
        self.kinds.add(type(app.screen).__name__)
        self.obeyed += [f"{where}: {segment.text!r}" for segment in segments if is_dangerous(segment)]
        self.armed += [f"{where}: {segment!r}" for segment in segments if is_armed(segment)]
        self.shown |= {place for place in string_columns() if marker(place) in text}
        self.literal += "[@click" in text
        self.invisible += [f"{where}: {segment.text!r}" for segment in segments if is_invisible(segment)]


def segments_of(app: App[None]) -> list[Segment]:
    return [segment for strip in app.screen._compositor.render_strips() for segment in strip]


def is_dangerous(segment: Segment) -> bool:
    return segment.control is not None or is_obeyed(segment.text)


def is_invisible(segment: Segment) -> bool:
    """True for a text in the colour of its ground. The terminal's own text and ground are two colours of one name."""
    style = segment.style
    if not set(segment.text) - _DRAWN or style is None or style.color is None or style.color.is_default:
        return False
    return style.color == style.bgcolor


def is_armed(segment: Segment) -> bool:
    """True if a click on the segment does something, or a terminal would make a link of it."""
    style = segment.style
    if style is None:
        return False
    # The scroll bars of Textual are moved by what it calls @mouse.down and @mouse.up.
    actions = {key for key in style.meta if key.startswith("@")} - {"@mouse.down", "@mouse.up"}
    return style.link is not None or bool(actions)


class Outside(LocalAccount):
    """An account whose providers and channels answer with one hostile text, wherever an answer has room for it."""

    def __init__(self, store: Store, token: str, said: Payload, *, fetch_place: FetchPlace | None = None) -> None:
        super().__init__(Options(), opened=store, token=token, fetch_place=fetch_place)
        self.said = said.text
        self.answered = asyncio.Event()

    async def begin_device_login(self, slug: str) -> DeviceLogin:
        provider = ProviderInfo(1, self.said, self.said, ProviderKind.OIDC, self.said, self.said)
        expires_at = self.now() + timedelta(minutes=5)
        return DeviceLogin(provider, self.said, self.said, self.said, expires_at)

    async def wait_for_identity(self, login: DeviceLogin, *, on_poll: Callable[[bool], None]) -> FoundIdentity:
        await self.answered.wait()
        return FoundIdentity(login.provider, self.said, self.said)

    async def bind(self, identity: FoundIdentity) -> None:
        raise ProviderFailed(identity.display)

    async def send_test(self, _channel: Channel) -> LastDelivery:
        raise DeliveryFailed(self.said)


@asynccontextmanager
async def on_stage(
    store: Store, clock: StillClock, account: LocalAccount, *, theme: str | None = None
) -> AsyncIterator[Stage]:
    app = GatekeyApp(account, ConsoleConfig(theme=theme))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        stage = Stage(app, pilot, store, clock)
        await stage.settle()
        yield stage


class Walk:
    """One person's way through the console; `seen` holds what the looks found."""

    def __init__(self, stage: Stage, account: Outside) -> None:
        self.stage, self.account, self.seen = stage, account, Seen()

    async def drawer(self) -> None:
        """The screens that only the console of `gatekey ssh` has."""
        await self.go("Drawer", "w")
        await self.back()
        await self.go("Saved to the drawer", "e")
        await self.back()

    async def go(self, where: str, *keys: str) -> None:
        """Press keys, then look."""
        await self.stage.press(*keys)
        self.look(where)

    async def click(self, where: str, selector: str) -> None:
        await self.stage.click(selector)
        self.look(where)

    def look(self, where: str) -> None:
        self.seen.look(self.stage.app, where)

    async def back(self, times: int = 1) -> None:
        for _ in range(times):
            await self.stage.press("escape")

    async def everything(self) -> None:
        """Every screen there is, from the Security tab to the sign-in screen."""
        await self.tabs()
        await self.security()
        await self.two_factor()
        await self.bindings()
        await self.notifications()
        await self.sidebar()
        await self.modules()
        await self.errors()
        await self.ways_in()

    async def stroll(self) -> None:
        """Everything that opens by a key, whether or not the data let it open, and back to the sign-in screen."""
        page = self.stage.app.screen.query_one(SettingsPage)
        for tab in ("account-binding", "notifications", "price", "privacy", "sidebar", "security"):
            page.action_show(tab)
            await self.go(tab)
        for keys in (
            "r",
            "s down e",
            "a",
            "o",
            "t y space",
            "y down e",
            "y down d",
            "h e",
            "h d",
            "h n",
            "f d",
            "f n y",
            "x",
            "p",
        ):
            await self.go(keys, *keys.split())
            while self.stage.app.screen is not page.screen and isinstance(self.stage.app.screen, ModalScreen):
                asks = isinstance(self.stage.app.screen, Confirm) and self.stage.says("never shown again")
                await self.stage.press("y" if asks else "escape")
        for module in MODULES:
            await self.open_module(module)
        await self.go("lock", "ctrl+l")
        await self.stage.fill("password", PASSWORD.format(NAME))
        await self.go("unlock", "enter")
        await self.sign_in()

    async def tabs(self) -> None:
        self.look("security")
        for key, name in zip(
            "123456", ("binding", "security", "notifications", "price", "privacy", "sidebar"), strict=False
        ):
            await self.go(name, str(key))
            await self.go(f"help on {name}", "tab", "f1")
            await self.stage.press("escape", "shift+tab")
        await self.go("palette", "ctrl+p")
        await self.back()
        await self.go("recommendations", "2", "r")
        await self.back()

    async def security(self) -> None:
        await self.go("sessions", "2", "s")
        await self.go("the session in use", "e")
        await self.back()
        await self.go("activity", "a")
        await self.go("an older event in full", "end")
        await self.back()
        await self.go("sign out others", "o")
        await self.back()
        await self.go("token question", "t")
        await self.go("token", "y")
        await self.go("token revealed", "space")
        await self.go("save file", "w")
        await self.back(2)
        await self.go("change password", "p")
        await self.back()
        await self.go("passkeys", "y")
        await self.go("rename passkey", "down", "e")
        await self.back()
        await self.go("remove passkey", "d")
        await self.back()
        await self.go("new passkey", "n")
        await self.stage.type("phone")
        await self.passkey_page("passkey page")
        await self.refuse_passkey()
        await self.back(2)
        await self.go("SSH keys", "h")
        await self.go("rename SSH key", "e")
        await self.back()
        await self.go("remove SSH key", "d")
        await self.back()
        await self.go("add SSH key", "n")
        await self.back(2)
        await self.go("delete", "x")
        await self.go("export", "e")
        await self.back(2)

    async def passkey_page(self, where: str) -> None:
        """Press Enter and look at the wait for a browser: it asks for news as long as it shows, and never settles."""
        await self.stage.pilot.press("enter")
        await self.stage.until(lambda: isinstance(self.stage.app.screen, PasskeyCeremony))
        await self.stage.until(self._waits_for_browser)
        await self.stage.pilot.pause()
        self.look(where)

    def _waits_for_browser(self) -> bool:
        return any(left.content for left in self.stage.app.screen.query("#left").results(Static))

    async def refuse_passkey(self) -> None:
        """Let the ceremony under way fail, for a reason that came from a browser."""
        why = marker(("passkey_ceremonies", "failure")) + self.account.said
        with self.stage.store.database.write() as tx:
            tx.execute(update(PasskeyCeremonyRow).values(state=CeremonyState.FAILED.value, failure=why))
        await self.stage.until(lambda: not self._waits_for_browser())
        await self.stage.settle()
        self.look("passkey refused")

    async def two_factor(self) -> None:
        await self.go("manage two-factor", "f")
        await self.go("renew codes", "n")
        await self.go("new codes", "y")
        await self.go("codes not kept", "escape")
        await self.stage.press("y")
        self.stage.store.site.set("password.minimum_without_second_factor", "9")
        await self.go("disable two-factor", "d")
        await self.go("ask for the password", "y")
        await self.stage.type(PASSWORD.format(NAME))
        await self.stage.press("enter")
        await self.go("scan", "f")
        wizard = self.stage.app.screen
        assert isinstance(wizard, TwoFactorSetup), wizard
        code = wizard._open_enrolment.codes[0]
        await self.go("codes", "enter")
        await self.stage.type(code)
        await self.go("verify", "enter")
        await self.go("leave setup", "escape")
        await self.stage.press("y")

    async def bindings(self) -> None:
        await self.stage.press("1")
        await self.click("unbind", ".unbind")
        await self.back()
        await self.provider_login(".bind")
        await self.go("bind question")
        await self.go("bind refused", "y")
        provider = ProviderInfo(1, self.account.said, self.account.said, ProviderKind.OIDC, "", "")
        for where, dialog in (
            ("bind in a browser", BindInBrowser(BrowserLogin(provider, self.account.said))),
            ("bind an address", BindEmail(self.account.said)),
            ("sign-up", SignUpForm(SignUp(asks_email_code=True))),
            ("register on a page", RegisterOnPage(self.account.said)),
        ):
            await self.stage.app.push_screen(dialog)
            await self.go(where)
            await self.back()

    async def provider_login(self, button: str) -> None:
        """Open the provider's dialog, look, and let the provider answer."""
        self.account.answered.clear()
        self.stage.app.screen.query(button).first().focus()
        await self.stage.pilot.press("enter")
        while not isinstance(self.stage.app.screen, ProviderLogin):
            await self.stage.pilot.pause()
        await self.stage.pilot.pause()
        self.look("provider login")
        self.account.answered.set()
        await self.stage.settle()

    async def notifications(self) -> None:
        stage = self.stage
        await stage.press("3")
        chosen = select(NotificationSettingsRow.c.email_address).where(
            NotificationSettingsRow.c.account_id == EmailConfirmation.c.account_id
        )
        with stage.store.database.write() as tx:
            tx.execute(update(EmailConfirmation).values(address=chosen.scalar_subquery()))
        await stage.press("f5")
        await self.click("confirm email", "#enter-code")
        await self.back()
        await self.click("test refused", "#send-test-email")
        for name, text in (("email-address", ""), ("webhook-url", ""), ("gotify-url", "https://g.example")):
            await stage.fill(name, text)
        stage.app.screen.query_one("#channel-webhook", Toggle).value = False
        await self.conflict("notifications", NotificationSettingsRow)
        await self.go("unsaved", "ctrl+q")
        await self.back()
        await self.click("webhook secret", "#generate-secret")
        await stage.press("space", "escape")
        self.stage.app.screen.query_one(SettingsPage).focus_tabs()

    async def sidebar(self) -> None:
        await self.stage.press("6")
        self.stage.app.screen.query_one("#module-overview", Toggle).value = False
        await self.conflict("sidebar", SidebarSettingsRow)
        self.stage.app.screen.query_one(SettingsPage).focus_tabs()

    async def conflict(self, where: str, table: Table) -> None:
        """Save over what somebody else saved meanwhile."""
        with self.stage.store.database.write() as tx:
            tx.execute(update(table).values(version=table.c.version + 1))
        await self.go(f"conflict of {where}", "ctrl+s")
        assert isinstance(self.stage.app.screen, Conflict), self.stage.text()
        await self.back()

    async def modules(self) -> None:
        for module in MODULES:
            await self.open_module(module)
            if module == "api-keys":
                await self.api_keys()
            if module == "playground":
                await self.playground()
            if module == "wallet":
                await self.wallet()
            if module == "usage-logs":
                await self.logs()

    async def logs(self) -> None:
        await self.go("a call", "enter")
        await self.back()
        await self.go("export of the log", "e")
        await self.back()
        await self.go("filter of the log", "slash")
        await self.stage.type("model:")
        self.look("models of the log")
        await self.back()

    async def open_module(self, module: str) -> None:
        console = self.stage.app.screen
        assert isinstance(console, Console), console
        console.action_open_module(module)
        await self.go(module)

    async def playground(self) -> None:
        await self.stage.press("escape")
        for where, key in (("models", "m"), ("payers", "a"), ("options", "o")):
            await self.go(where, key)
            await self.back()

    async def api_keys(self) -> None:
        for where, key in (("revoke key", "x"), ("rotate key", "o"), ("edit key", "enter"), ("use key", "y")):
            await self.go(where, key)
            await self.back()
        await self.go("new key", "n")
        await self.stage.type("notebook")
        await self.go("key", "enter")
        await self.go("key revealed", "space")
        await self.back()

    async def wallet(self) -> None:
        await self.go("change", "enter")
        await self.back()
        await self.go("redeem", "r")
        await self.back()
        await self.go("prices", "p")
        await self.go("ledger", "p")

    async def errors(self) -> None:
        """Errors that name what was stored, on a toast and in the dialog that asks for proof."""
        summary = self.account.summary

        async def refused() -> Summary:
            raise FreshProofRequired(self.account.said) if proof else ProviderFailed(self.account.said)

        for proof in (False, True):
            self.account.summary = refused  # type: ignore[method-assign]  # what a store in trouble would say
            await self.go("proof" if proof else "toast", "r")
        self.account.summary = summary  # type: ignore[method-assign]
        await self.back()

    async def ways_in(self) -> None:
        stage = self.stage
        await self.go("lock", "ctrl+l")
        await self.go("unsaved behind the lock", "escape")
        await self.go("sign in", "y")
        await self.provider_login(".provider")
        self.look("provider refused")
        stage.app.screen.query_one(".passkey").focus()
        await self.passkey_page("passkey sign-in")
        await self.back()
        await self.sign_in()
        stage.app.show_sign_in(self.account.said)
        await stage.settle()
        self.look("signed out by an error")

    async def sign_in(self) -> None:
        self.stage.app.show_sign_in()
        await self.stage.settle()
        await self.stage.fill("username", NAME)
        await self.stage.fill("password", PASSWORD.format(NAME))
        await self.click("second factor", "#sign-in")


BASES = {"AccountModal", "BrowserStep", "PageInBrowser", "OverviewList", "Prompt", "ShownOnce"}
"""Dialogs that are never shown themselves: others are made of them."""


def every_screen() -> set[type[Screen[object]]]:
    """Every screen and dialog of the product that can be shown."""
    for module in walk_packages(screens.__path__, "screens."):
        import_module(module.name)
    ours = {screen for screen in _below(Screen) if screen.__module__.startswith(("screens.", "tui."))}
    assert {screen.__name__ for screen in ours} >= BASES
    return {screen for screen in ours if screen.__name__ not in BASES}


def _below(kind: type[Screen[object]]) -> set[type[Screen[object]]]:
    below = set(kind.__subclasses__())
    return below.union(*(_below(other) for other in below))
