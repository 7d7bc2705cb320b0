"""The account on a New API server, over `remote`.

There is one class per topic of `tui.account`, whose protocols document the methods. What the server has not, or what
Gatekey does not do there yet, stands in `limits`: screens show its sentences, and never call the methods behind them.
"""

from tui.remote_account.api_keys import RemoteApiKeys
from tui.remote_account.bindings import RemoteBindings
from tui.remote_account.connection import RemoteConnection
from tui.remote_account.dashboard import RemoteDashboard
from tui.remote_account.leaving import RemoteLeaving
from tui.remote_account.not_here import RemoteNotHere
from tui.remote_account.passwords import RemotePasswords
from tui.remote_account.personal_data import RemotePersonalData
from tui.remote_account.playground import RemotePlayground
from tui.remote_account.sections import RemoteSections
from tui.remote_account.sign_in import RemoteSignIn
from tui.remote_account.totals import RemoteTotals
from tui.remote_account.usage import RemoteUsage
from tui.remote_account.wallet import RemoteWallet


class RemoteAccount(
    RemoteConnection,
    RemoteSignIn,
    RemoteDashboard,
    RemotePasswords,
    RemoteBindings,
    RemoteSections,
    RemoteUsage,
    RemoteTotals,
    RemoteWallet,
    RemoteApiKeys,
    RemotePlayground,
    RemotePersonalData,
    RemoteLeaving,
    RemoteNotHere,
):
    """`tui.account.AccountService` on a New API server."""
