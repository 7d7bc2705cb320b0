"""The account as screens see it: one asynchronous protocol per topic, composed as `AccountService`.

Arguments and results are plain types and frozen values, which are defined here, in `store.values` and in
`store.sections`. Amounts are whole micro-USD, times aware UTC. A method either returns or raises a
`store.errors.GatekeyError`, which has a title and a sentence for the person. Its docstring names the errors, with
these terms for those that are common:

- The **data errors** are `StoreUnavailable` and its children, such as `DatabaseBusy`.
- The **session errors** are `SessionEnded`, its child `SessionSuspended`, `SessionLocked`, and the data errors.
- **Needs a fresh proof**: raises `FreshProofRequired`, too, unless the person proved their identity (a password, a
  code, a passkey) in the last five minutes.

To implement it, for example on a remote server: write a class per topic with the methods of its protocol, compose
them, and give the result to `screens.app.GatekeyApp`; `tui.local_account` is an example. Keep the credential of the
session inside. `open` comes first: until it returns, calls that need the data raise `SessionEnded`. No method blocks
the event loop. A task that waits for a call may be cancelled; the call itself may still take effect. Strings that
come from elsewhere may hold control characters: screens sanitize them. What it cannot do is told by
`ConnectionService.capabilities`: screens show its sentences in the place of what they leave out, and never call the
methods for it.

Nothing here, and no value, imports the database or the terminal.
"""

from typing import Protocol

from store.values.capabilities import EVERYTHING, Capabilities
from tui.account.access_token import AccessTokenService
from tui.account.api_keys import ApiKeyService
from tui.account.billing import BillingService, PriceOverview
from tui.account.bindings import (
    BindingOverview,
    BindingService,
    BoundEmail,
    BrowserLogin,
    DeviceLogin,
    FoundIdentity,
)
from tui.account.connection import ConnectionService, DemoCredentials
from tui.account.dashboard import DashboardService
from tui.account.drawer import DrawerService
from tui.account.files import FileService
from tui.account.notifications import NotificationService
from tui.account.overview import OverviewService, SecurityOverview, Summary
from tui.account.passkeys import PasskeyPage, PasskeyService
from tui.account.passwords import PasswordService
from tui.account.personal_data import PersonalDataService
from tui.account.playground import PlaygroundService, RunningAnswer
from tui.account.sections import SectionService
from tui.account.session import SessionService
from tui.account.sign_in import SignInOptions, SignInService, SignUp
from tui.account.ssh_keys import SshKeyService
from tui.account.two_factor import TwoFactorService
from tui.account.usage import UsageService
from tui.account.wallet import WalletService

__all__ = [
    "EVERYTHING",
    "AccessTokenService",
    "AccountService",
    "ApiKeyService",
    "BillingService",
    "BindingOverview",
    "BindingService",
    "BoundEmail",
    "BrowserLogin",
    "Capabilities",
    "ConnectionService",
    "DashboardService",
    "DemoCredentials",
    "DeviceLogin",
    "DrawerService",
    "FileService",
    "FoundIdentity",
    "NotificationService",
    "OverviewService",
    "PasskeyPage",
    "PasskeyService",
    "PasswordService",
    "PersonalDataService",
    "PlaygroundService",
    "PriceOverview",
    "RunningAnswer",
    "SectionService",
    "SecurityOverview",
    "SessionService",
    "SignInOptions",
    "SignInService",
    "SignUp",
    "SshKeyService",
    "Summary",
    "TwoFactorService",
    "UsageService",
    "WalletService",
]


class AccountService(
    ConnectionService,
    SignInService,
    SessionService,
    OverviewService,
    PasswordService,
    AccessTokenService,
    TwoFactorService,
    PasskeyService,
    SshKeyService,
    BindingService,
    SectionService,
    NotificationService,
    UsageService,
    BillingService,
    WalletService,
    DashboardService,
    ApiKeyService,
    PlaygroundService,
    PersonalDataService,
    DrawerService,
    Protocol,
):
    """One person's account: every topic together."""
