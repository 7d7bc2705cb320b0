"""SSH keys in the store, and files with a public key on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tui.local_account.topic import LocalTopic
from tui.public_key_file import is_path, read_public_key

if TYPE_CHECKING:
    from store.store import Store
    from store.values.ssh_keys import SshKeyInfo


class LocalSshKeys(LocalTopic):
    """`SshKeyService` on the store."""

    async def add_ssh_key(self, text: str, name: str) -> SshKeyInfo:
        reads_files = self.files.have_paths
        return await self._call(_add, self._store, text.strip(), name, reads_files=reads_files)

    async def rename_ssh_key(self, key_id: int, name: str) -> None:
        await self._call(self._store.ssh_keys.rename, key_id, name)

    async def remove_ssh_key(self, key_id: int) -> None:
        await self._call(self._store.ssh_keys.remove, key_id)


def _add(token: str, store: Store, text: str, name: str, *, reads_files: bool) -> SshKeyInfo:
    if reads_files and is_path(text):
        text = read_public_key(Path(text))
    return store.ssh_keys.add(token, text, name)
