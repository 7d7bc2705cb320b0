"""An input for a secret that may be stored: left empty it is kept, typing replaces it, a key marks it for clearing."""

from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.reactive import reactive

from store.text import sanitize
from tui.widgets.secret_input import SecretInput

WILL_BE_CLEARED: Final = "will be cleared on save"


class StoredSecretInput(SecretInput):
    """The stored secret is never in here; `hint` is as much of it as may be shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+x",
            "clear_stored",
            "Clear or keep secret",
            id="secret.clear",
            tooltip="Clear the stored secret with the next save, or keep it after all",
        ),
    ]

    is_cleared: reactive[bool] = reactive(False, init=False)
    """True if the stored secret is cleared by the next save."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (as every widget has it)
        super().__init__(id=id, placeholder="…")
        self._hint = ""
        self._is_stored = False

    def show_stored(self, hint: str | None) -> None:
        """Begin again with the stored secret of that hint, or with none."""
        self._is_stored, self._hint = hint is not None, sanitize(hint or "")
        self.clear()
        self.is_cleared = False
        self._explain()
        self.refresh_bindings()

    @property
    def change(self) -> str | None:
        """The new secret, "" to clear the stored one, or None to keep it."""
        return self.value.strip() or ("" if self.is_cleared else None)

    def action_clear_stored(self) -> None:
        """Mark the stored secret to be cleared, or take the mark away. Typed text goes."""
        self.clear()
        self.is_cleared = not self.is_cleared

    def watch_is_cleared(self) -> None:
        self._explain()
        self.set_class(self.is_cleared, "-cleared")
        self.post_message(self.Changed(self, self.value))

    def watch_value(self, value: str) -> None:
        if value:
            self.is_cleared = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "clear_stored":
            return self._is_stored
        return super().check_action(action, parameters)

    def _explain(self) -> None:
        kept = f"stored {self._hint} · type to replace" if self._is_stored else "none"
        self.placeholder = WILL_BE_CLEARED if self.is_cleared else kept
