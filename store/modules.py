"""The modules of the console, grouped in sections."""

from typing import Final, NamedTuple


class Module(NamedTuple):
    """A page of the console. `id` is stable; `note` is the explanation beside its switch."""

    id: str
    label: str
    note: str = ""


class Section(NamedTuple):
    """A group of modules in the sidebar."""

    id: str
    label: str
    modules: tuple[Module, ...]


SECTIONS: Final = (
    Section("chat", "Chat Area", (Module("playground", "Playground", "AI model testing environment"),)),
    Section(
        "dashboard",
        "Dashboard Area",
        (
            Module("overview", "Overview"),
            Module("api-keys", "API Keys"),
            Module("usage-logs", "Usage Logs"),
            Module("drawing-logs", "Drawing Logs"),
            Module("task-logs", "Task Logs"),
        ),
    ),
    Section("personal", "Personal Center Area", (Module("wallet", "Wallet"), Module("settings", "Settings"))),
)
MODULES: Final = tuple(module.id for section in SECTIONS for module in section.modules)
"""The ids of all eight modules, in the order of the sidebar."""
