"""The person's own keys.toml: the list of ids is that of the code, and what is wrong in a file is told at the start."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import MappingProxyType

from textual.binding import Binding
from textual.dom import DOMNode
from textual.widgets._toast import Toast

import screens
import tui
from screens.app import GatekeyApp
from screens.sign_in import SignIn
from tests.harness.consoles import SIZE, Stage
from tests.harness.stores import still_clock, store_with_account
from tui.config_location import load_config
from tui.key_ids import ACTIONS
from tui.local_account import LocalAccount
from tui.store_location import Options


def bound_in_the_code() -> dict[str, set[str]]:
    """Every id with the keys it has, over all widgets and screens."""
    for package in (screens, tui):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    bound: dict[str, set[str]] = {}
    for node in _below(DOMNode):
        if node.__module__.startswith(("screens.", "tui.")):
            for binding in node.__dict__.get("BINDINGS", ()):
                assert isinstance(binding, Binding), (node, binding)
                assert binding.id, (node, binding)
                bound.setdefault(binding.id, set()).update(binding.key.split(","))
    return bound


def _below(kind: type[DOMNode]) -> set[type[DOMNode]]:
    below = set(kind.__subclasses__())
    return below.union(*(_below(other) for other in below))


async def test_every_id_a_person_may_write_is_one_and_has_those_keys() -> None:
    assert {name: set(action.keys) for name, action in ACTIONS.items()} == bound_in_the_code()


@asynccontextmanager
async def console_with_keys(path: Path) -> AsyncIterator[Stage]:
    """The sign-in screen of somebody who has that keys.toml."""
    store = store_with_account()
    app = GatekeyApp(LocalAccount(Options(), opened=store), load_config(path))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        clock = still_clock(store)
        stage = Stage(app, pilot, store, clock)
        await stage.settle()
        yield stage


async def test_what_is_wrong_is_told_and_the_rest_works(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text('[keys]\n"security.tokn" = "f9"\n"console.checks" = "f10"\n')
    async with console_with_keys(path) as stage:
        assert isinstance(stage.app.screen, SignIn)
        assert told(stage) == ["line 2: 'security.tokn' is not a key id; did you mean 'security.token'?"]
    assert stage.app.config.keys == MappingProxyType({"console.checks": "f10"})


async def test_of_many_faults_one_sentence_says_how_many_and_where_they_are(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text("[keys]\n" + "".join(f'"nothing.{number}" = "f9"\n' for number in range(9)))
    async with console_with_keys(path) as stage:
        assert told(stage) == ["9 entries of keys.toml have no effect; gatekey doctor names each."]
        (toast,) = stage.app.screen.query(Toast)
        assert toast.region.height <= 5
        assert toast._notification.timeout <= 10


def told(stage: Stage) -> list[str]:
    """The text of the toasts on the screen."""
    sentences = [str(toast._notification.message) for toast in stage.app.screen.query(Toast)]
    assert all(toast.region for toast in stage.app.screen.query(Toast))
    return sentences
