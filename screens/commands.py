"""Commands of the palette: what can be done now, with its key, and other words that find it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from screens.console import Console
from screens.settings.page import HEADINGS, TABS, SettingsPage
from screens.settings.security import SecurityPane
from screens.settings.security_limits import limit_of
from store.modules import SECTIONS
from tui.terminal import has_job_control
from tui.themes import THEME_LABELS
from tui.widgets.palette_command import PaletteCommand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.screen import Screen

    from tui.account import SecurityOverview
    from tui.host import Host

_SECURITY: Final = (
    ("Change password", "password", "Your other sessions are signed out", "passphrase credentials secret pw"),
    (
        "Two-factor authentication",
        "two_factor",
        "Turn it on or off, new backup codes",
        "2fa mfa totp otp authenticator",
    ),
    ("Manage passkeys", "passkeys", "Register, rename, remove", "webauthn fido security key passwordless"),
    ("Manage SSH keys", "ssh_keys", "Add, rename, remove", "public key openssh authorized_keys fingerprint ed25519"),
    (
        "Generate System Access Token",
        "token",
        "The present one stops working",
        "api bearer credential new renew rotate",
    ),
    ("Show sessions", "sessions", "Where you are signed in", "devices logins where end"),
    ("Sign out other sessions", "sign_out_others", "Every one but this", "logout devices revoke end"),
    ("Show activity", "activity", "Sign-ins and changes", "audit log history security events"),
    ("Open the drawer", "drawer", "What you saved, until you fetch it", "scp sftp download file fetch saved"),
    ("Export your data", "export", "One JSON file, without secrets", "download backup save gdpr json dump"),
    ("Delete account", "delete", "Asks before anything happens", "remove close erase destroy"),
)
_BACKUP_CODES: Final = "backup recovery codes qr phone"
_TAB_WORDS: Final = {
    "account-binding": "oauth oidc github provider identity link federated sso",
    "security": "password 2fa passkey ssh key token sessions",
    "notifications": "webhook email bark gotify quota warning threshold budget limit alert balance mail smtp test",
    "price": "unpriced models cost pricing billing accept block spend budget",
    "privacy": "ip address logs record tracking",
    "sidebar": "hide show modules layout menu customize",
}
_MODULE_WORDS: Final = {
    "playground": "chat try model prompt",
    "overview": "dashboard usage spend statistics chart budget",
    "api-keys": "api key create revoke client credentials",
    "usage-logs": "calls requests tokens cost history",
    "drawing-logs": "images pictures",
    "task-logs": "batches jobs",
    "wallet": "quota balance budget money billing usd credit top up",
    "settings": "preferences options configuration account",
}
_THEME_WORDS: Final = {"dark": "night black", "light": "day white bright"}


def commands(app: Host, screen: Screen[object]) -> Iterator[PaletteCommand]:
    """The commands for `screen` that can be done now, without a screenshot, which would write secrets into a file."""
    if isinstance(screen, Console):
        page = screen.query_one(SettingsPage)
        yield from _on_page(app, screen, page)
        yield from _security(app, screen, page)
        yield from _places(app, screen, page)
        if screen.page is page:
            yield _command(
                app,
                "Refresh",
                "Read this tab again; edits stay",
                page.action_read_again,
                "tab.refresh",
                "reload update",
            )
        yield _command(
            app, "Operational recommendations", "Checks of the account", screen.action_recommendations,
            "console.checks", "security score advice checklist",
        )  # fmt: skip
        if not app.account.capabilities.no_lock:
            yield _command(
                app, "Lock", "Cover the screen until you prove who you are", app.action_lock, "app.lock",
                "hide away screen",
            )  # fmt: skip
        yield _command(
            app, "Sign out", "End this session", app.action_sign_out, "", "logout log out leave exit account"
        )
    yield from _themes(app)
    yield _command(app, "Help", "What this is, and its keys", app.action_help, "app.help", "keys manual shortcuts ?")
    if has_job_control():
        yield _command(
            app, "Suspend", "Back to the shell; fg continues", app.action_suspend_process, "app.suspend", "background"
        )
    yield _command(app, "Quit", "Leave Gatekey", app.action_quit, "app.quit", "exit close leave bye")


def _on_page(app: Host, screen: Console, page: SettingsPage) -> Iterator[PaletteCommand]:
    """The commands for the edits of the open tab."""
    if screen.page is not page:
        return
    for title, about, action, name, words in (
        ("Save settings", "Of this tab", "save", "tab.save", "apply store write"),
        ("Discard changes", "Of this tab", "discard", "tab.discard", "undo revert cancel"),
    ):
        run = getattr(page, f"action_{action}", None)
        if run is not None and page.check_action(action, ()):
            yield _command(app, title, about, run, name, words)


def _security(app: Host, screen: Console, page: SettingsPage) -> Iterator[PaletteCommand]:
    pane = next(iter(page.query(SecurityPane)), None)
    overview = pane.overview if pane is not None else None
    for title, action, about, words in _SECURITY:
        if _can_be_done(app, action, overview):
            more = f" {_BACKUP_CODES}" if action == "two_factor" else ""
            yield _command(
                app, title, about, _to_tab(screen, page, "security", action), f"security.{action}", words + more
            )


def _can_be_done(app: Host, action: str, overview: SecurityOverview | None) -> bool:
    if limit_of(action, app.account.capabilities):
        return False
    match action:
        case "export":
            return app.account.files.are_allowed
        case "drawer":
            return app.account.files.go_to_drawer
        case "passkeys":
            return overview is None or overview.passkeys_enabled or bool(overview.passkeys)
        case "sign_out_others":
            return overview is None or len(overview.sessions) > 1
        case _:
            return True


def _places(app: Host, screen: Console, page: SettingsPage) -> Iterator[PaletteCommand]:
    """Every tab and module but the open one."""
    is_on_settings = screen.page is page
    for tab in TABS:
        if not (is_on_settings and page.active == tab.id):
            words = f"{HEADINGS[tab.id][1]} {_TAB_WORDS[tab.id]}"
            yield _command(
                app,
                f"Settings: {tab.label}",
                HEADINGS[tab.id][1],
                _to_tab(screen, page, tab.id),
                f"tab.{tab.id}",
                words,
            )
    for section in SECTIONS:
        for module in section.modules:
            if screen.page.id != f"{module.id}-page" and not screen.is_hidden(module.id):
                open_module = partial(screen.action_open_module, module.id)
                yield _command(app, f"Open {module.label}", section.label, open_module, "", _MODULE_WORDS[module.id])
    yield _command(app, "Sidebar", "Show or hide the modules", screen.action_sidebar, "console.sidebar", "menu drawer")


def _themes(app: Host) -> Iterator[PaletteCommand]:
    for name, label in THEME_LABELS.items():
        if name != app.theme:
            kind = "light" if name.endswith("-light") else "dark"
            yield PaletteCommand(
                f"Theme: {label}",
                "Change the colours",
                partial(app.choose_theme, name),
                words=f"{name} {kind} {_THEME_WORDS[kind]} mode color scheme appearance",
                preview=partial(app.show_theme, name),
            )


def _command(app: Host, title: str, about: str, run: Callable[[], object], name: str, words: str) -> PaletteCommand:
    """A command with the key of the binding called `name`, if that is not empty."""
    return PaletteCommand(title, about, run, key=app.key_of(name) if name else "", words=words)


def _to_tab(screen: Console, page: SettingsPage, tab: str, action: str = "") -> Callable[[], object]:
    async def show() -> None:
        # Keys typed behind the command belong to the dialog that it opens.
        with screen.app.hold_input():
            await screen.open_module("settings")
            pane = await page.show_tab(tab)
            if action:
                getattr(pane, f"action_{action}")()

    return lambda: screen.run_worker(show, group="palette", exclusive=True)
