"""SSH keys on the Security tab: added by a paste or from a file, renamed, removed, and each refusal at its field."""

from pathlib import Path

import pytest
from textual import events
from textual.widgets import Button, Input

from screens.settings.add_ssh_key import AddSshKey
from screens.settings.ssh_keys import SshKeys
from store.store import Store
from tests.harness.consoles import PASSWORD, Stage, console
from tests.harness.ssh_keys import fingerprint, public_key
from tests.harness.stores import sign_in, store_with_account
from tests.snapshots.scenes import ssh_key_store
from tui.widgets.confirm import Confirm
from tui.widgets.field import Field

PRIVATE = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE=\n-----END OPENSSH PRIVATE KEY-----\n"


def kept(store: Store) -> list[tuple[str, str]]:
    return [(key.name, key.fingerprint) for key in store.ssh_keys.list_of("alice")]


def error_at(stage: Stage, control: str) -> str:
    field = stage.app.screen.query_one(f"#{control}").parent
    assert isinstance(field, Field)
    return field.error


async def paste(stage: Stage, text: str) -> None:
    """The text of a bracketed paste, into the focused field."""
    focused = stage.app.focused
    assert isinstance(focused, Input)
    focused.post_message(events.Paste(text))
    await stage.settle()


async def test_a_key_is_added_by_a_paste_and_called_by_its_comment(stage: Stage) -> None:
    assert stage.says("SSH keys ○ none")
    await stage.press("h")
    assert stage.says("There are none yet. Add your first with n.")
    assert all(button.disabled for button in stage.app.screen.query("#rename, #remove").results(Button))
    await stage.press("n")
    await paste(stage, public_key(1, "alice@laptop") + "\n")
    await stage.press("enter")
    assert stage.says("The SSH key alice@laptop was added.")
    assert stage.says(fingerprint(1))
    assert stage.says("alice@laptop, ssh-ed25519, added on 2026-11-23 12:00 UTC.")
    await stage.press("escape")
    assert stage.says("● 1 key · never used")
    assert kept(stage.store) == [("alice@laptop", fingerprint(1))]


async def test_a_key_is_added_from_a_file_under_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_ed25519.pub").write_text(public_key(3, "alice@laptop") + "\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    async with console() as stage:
        await stage.press("h", "n")
        assert stage.says("Or enter the path of that file.")
        await stage.fill("ssh-key", "~/.ssh/id_ed25519.pub")
        await stage.enter("ssh-key-name", "blue laptop")
        assert stage.says("The SSH key blue laptop was added.")
        assert kept(stage.store) == [("blue laptop", fingerprint(3))]


async def test_where_files_are_off_no_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "key.pub"
    file.write_text(public_key(1, "laptop"))
    async with console(no_files=True) as stage:
        await stage.press("h", "n")
        assert not stage.says("path")
        for path in (file, tmp_path / "missing.pub"):
            await stage.enter("ssh-key", str(path))
            assert error_at(stage, "ssh-key").startswith("This is not a public key.")
        assert kept(stage.store) == []


async def test_every_refusal_stands_at_its_field(tmp_path: Path) -> None:
    store = store_with_account()
    store.ssh_keys.add(sign_in(store), public_key(1), "laptop")
    (tmp_path / "id_ed25519").write_text(PRIVATE)
    async with console(store) as stage:
        await stage.press("h", "n", "enter")
        assert error_at(stage, "ssh-key") == "Paste the public key here."
        for text, sentence in (
            ("hello", "This is not a public key."),
            (public_key(1, "again"), "This SSH key was added before."),
            (str(tmp_path / "missing"), "could not be read"),
            (str(tmp_path), "could not be read"),
            (str(tmp_path / "id_ed25519"), "This is a private key. It was not stored"),
        ):
            await stage.enter("ssh-key", text)
            assert sentence in error_at(stage, "ssh-key"), text
        await stage.fill("ssh-key", "")
        stage.app.screen.query_one("#ssh-key").focus()
        await paste(stage, PRIVATE)
        await stage.press("enter")
        assert "This is a private key. It was not stored" in error_at(stage, "ssh-key")
        for key, name, sentence in (
            (public_key(2, "LAPTOP"), "", "Another SSH key has this name."),
            (public_key(2), "", "Give the key a name."),
        ):
            await stage.fill("ssh-key", key)
            await stage.enter("ssh-key-name", name)
            assert error_at(stage, "ssh-key-name") == sentence
        await stage.press("escape")
        assert isinstance(stage.app.screen, SshKeys)
        assert kept(store) == [("laptop", fingerprint(1))]


async def test_adding_needs_a_fresh_proof_and_keeps_what_was_pasted(stage: Stage) -> None:
    await stage.press("h", "n")
    await paste(stage, public_key(1, "laptop"))
    stage.clock.advance(minutes=6)
    await stage.press("enter")
    assert stage.says("Confirm it is you")
    assert kept(stage.store) == []
    await stage.press("escape")
    assert isinstance(stage.app.screen, AddSshKey)
    assert stage.app.screen.query_one("#ssh-key", Input).value == public_key(1, "laptop")
    await stage.press("enter")
    await stage.enter("password", PASSWORD)
    assert stage.says("The SSH key laptop was added.")


async def test_a_key_is_renamed_and_removed_after_a_question() -> None:
    store = ssh_key_store()
    async with console(store) as stage:
        assert stage.says("● 2 keys · used 2 h ago")
        await stage.press("h")
        assert stage.says("Last used from ssh 192.0.2.7 pts/4.")
        await stage.press("e")
        await stage.enter("ssh-key-name", "the machine in the workshop")
        assert stage.says("Another SSH key has this name.")
        await stage.press("e")
        await stage.enter("ssh-key-name", "old laptop")
        assert stage.says("It was renamed.")
        await stage.press("d")
        assert isinstance(stage.app.screen, Confirm)
        assert stage.says("old laptop will no longer open your console.")
        await stage.press("enter")
        assert len(kept(store)) == 2, "the safe button has the focus"
        await stage.press("d", "y")
        assert stage.says("It was removed.")
        assert kept(store) == [("the machine in the workshop", fingerprint(2))]
        await stage.press("d", "y", "d", "e")
        assert isinstance(stage.app.screen, SshKeys), "there is no key to remove or rename"
        assert kept(store) == []


async def test_a_key_that_was_removed_elsewhere_is_told() -> None:
    store = ssh_key_store()
    async with console(store, press="h") as stage:
        store.ssh_keys.remove(stage.app.account._token, store.ssh_keys.list_of("alice")[0].id)  # type: ignore[attr-defined]
        await stage.press("d", "y")
        assert stage.says("That SSH key was removed before.")
        assert stage.says(fingerprint(2))


async def test_the_key_opens_only_where_it_works(stage: Stage) -> None:
    await stage.press("4", "h")
    assert not isinstance(stage.app.screen, SshKeys)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (160, 50)])
async def test_the_fingerprint_is_whole_at_every_size(size: tuple[int, int]) -> None:
    async with console(ssh_key_store(), size=size, press="h") as stage:
        assert stage.says(fingerprint(1))
        await stage.press("down")
        assert stage.says(fingerprint(2))
