"""Personal data: its export, and the deletion of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path


class PersonalDataService(Protocol):
    """Exports and deletes everything that is stored about the account."""

    async def check_deletable(self) -> bool:
        """Check whether the account may be deleted; returns whether traces would stay on the server's disk for a while.

        Raises `RootAccount`, `LastAdministrator`, and the session errors.
        """
        ...

    async def delete_account(self, typed_name: str) -> bool:
        """Delete the account, its data and its sessions; returns whether every byte has left the disk already.

        `typed_name` has to be the exact name. Needs a fresh proof. Raises `UsernameDoesNotMatch`, which counts as a
        wrong password, `TooManyAttempts`, `FactorDisabled`, `RootAccount`, `LastAdministrator`, and the session
        errors.
        """
        ...

    async def export_to(self, path: Path) -> Path:
        """Save the account's data as JSON, as `FileService.save` does.

        Needs a fresh proof. Raises the errors of `FileService.save`, and the session errors.
        """
        ...
