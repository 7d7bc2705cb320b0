"""The console of the demo, or of the account (`account`), with a key whose handler fails and holds what was typed."""

import sys
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from screens.app import GatekeyApp
from tui.local_account import LocalAccount
from tui.session_exit import run_to_its_end
from tui.store_location import Options


class FaultyGatekey(GatekeyApp):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f9", "fault", priority=True)]

    def action_fault(self) -> None:
        typed = [field.value for field in self.screen.query(Input)]
        raise RuntimeError(f"no {typed}")


if __name__ == "__main__":
    account = LocalAccount(Options(demo="account" not in sys.argv))
    sys.exit(run_to_its_end(FaultyGatekey(account)))
