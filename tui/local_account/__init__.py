"""The account in this machine's own store: the one place where the event loop and the blocking store meet.

There is one class per topic of `tui.account`, whose protocols document the methods. Functions of a module that take
a store block, and run in a worker thread. Values and the store are imported where they are used: the first paint
comes before SQLAlchemy.
"""

from tui.local_account.access_token import LocalAccessToken
from tui.local_account.api_keys import LocalApiKeys
from tui.local_account.billing import LocalBilling
from tui.local_account.bindings import LocalBindings
from tui.local_account.connection import LocalConnection
from tui.local_account.dashboard import LocalDashboard
from tui.local_account.drawer import LocalDrawer
from tui.local_account.notifications import LocalNotifications
from tui.local_account.overview import LocalOverview
from tui.local_account.passkeys import LocalPasskeys
from tui.local_account.passwords import LocalPasswords
from tui.local_account.personal_data import LocalPersonalData
from tui.local_account.playground import LocalPlayground
from tui.local_account.sections import LocalSections
from tui.local_account.session import LocalSession
from tui.local_account.sign_in import LocalSignIn
from tui.local_account.ssh_keys import LocalSshKeys
from tui.local_account.two_factor import LocalTwoFactor
from tui.local_account.usage import LocalUsage
from tui.local_account.wallet import LocalWallet


class LocalAccount(
    LocalConnection,
    LocalSignIn,
    LocalSession,
    LocalOverview,
    LocalPasswords,
    LocalAccessToken,
    LocalTwoFactor,
    LocalPasskeys,
    LocalSshKeys,
    LocalBindings,
    LocalSections,
    LocalNotifications,
    LocalUsage,
    LocalBilling,
    LocalWallet,
    LocalDashboard,
    LocalApiKeys,
    LocalPlayground,
    LocalPersonalData,
    LocalDrawer,
):
    """`tui.account.AccountService` on an embedded store."""
