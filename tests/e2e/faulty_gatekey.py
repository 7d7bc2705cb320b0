"""The console of the demo with one key more, whose handler has a fault and holds what was typed."""

import sys
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui.app import GatekeyApp
from tui.local_account import LocalAccount
from tui.opening import Options


class FaultyGatekey(GatekeyApp):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f9", "fault", priority=True)]

    def action_fault(self) -> None:
        typed = [field.value for field in self.screen.query(Input)]
        raise RuntimeError(f"no {typed}")


if __name__ == "__main__":
    app = FaultyGatekey(LocalAccount(Options(demo=True)))
    app.run()
    sys.exit(app.return_code or 0)
