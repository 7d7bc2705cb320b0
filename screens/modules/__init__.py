"""The pages of the modules, each imported when it is first opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.widget import Widget

    from tui.account import Capabilities


def page_for(module: str, can: Capabilities) -> type[Widget]:
    """The page class of a module id other than `settings`. Raises ValueError for an unknown id."""
    if module in can.no_modules:
        from screens.modules.limited import LimitedPage

        return LimitedPage
    match module:
        case "playground":
            from screens.modules.playground import PlaygroundPage

            return PlaygroundPage
        case "overview":
            from screens.modules.overview import OverviewPage

            return OverviewPage
        case "api-keys":
            from screens.modules.api_keys import ApiKeysPage

            return ApiKeysPage
        case "usage-logs":
            from screens.modules.logs import UsageLogsPage

            return UsageLogsPage
        case "drawing-logs":
            from screens.modules.logs import DrawingLogsPage

            return DrawingLogsPage
        case "task-logs":
            from screens.modules.logs import TaskLogsPage

            return TaskLogsPage
        case "wallet":
            from screens.modules.wallet import WalletPage

            return WalletPage
        case _:
            raise ValueError(f"there is no page for {module}")
