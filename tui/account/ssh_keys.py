"""SSH keys, which open the console over SSH."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from store.values.ssh_keys import SshKeyInfo


class SshKeyService(Protocol):
    """Adds, renames and removes SSH keys. `SecurityOverview` lists them."""

    async def add_ssh_key(self, text: str, name: str) -> SshKeyInfo:
        """Add a public key, and end every other session. Needs a fresh proof.

        `text` is one line of OpenSSH's form or, where `FileService.have_paths`, the path of a file with it. An empty
        `name` is the comment of the key. Raises `InvalidSshKey`, `InvalidLabel` (also for one in use), `LimitReached`,
        `AlreadyBound`, and the session errors.
        """
        ...

    async def rename_ssh_key(self, key_id: int, name: str) -> None:
        """Rename a key. Needs a fresh proof.

        Raises `InvalidLabel` (also for one in use), `NoSuchItem`, and the session errors.
        """
        ...

    async def remove_ssh_key(self, key_id: int) -> None:
        """Remove a key, and end every other session. Needs a fresh proof.

        Raises `NoSuchItem`, and the session errors.
        """
        ...
