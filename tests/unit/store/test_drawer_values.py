"""The command line that fetches an item."""

import shlex

import pytest

from store.values.drawer import DrawerOverview, FetchPlace


@pytest.mark.parametrize(
    ("name", "place", "command"),
    [
        ("alice", FetchPlace("gate.example", 2222, False), "scp -P 2222 alice@gate.example:export.json ."),
        ("alice", FetchPlace("gate.example", 22, False), "scp alice@gate.example:export.json ."),
        ("alice", FetchPlace("::1", 2222, False), "scp -P 2222 'alice@[::1]:export.json' ."),
        (
            "a@b+c",
            FetchPlace("gate.example", 2222, True),
            "scp -P 2222 -o PubkeyAuthentication=no a@b+c@gate.example:export.json .",
        ),
        ("Zoë", FetchPlace("gate.example", 22, False), "scp 'Zoë@gate.example:export.json' ."),
    ],
)
def test_the_command_is_one_line_for_any_shell(name: str, place: FetchPlace, command: str) -> None:
    assert DrawerOverview((), name, place).command("export.json") == command
    assert shlex.split(command)[-2:][0].endswith(":export.json")
