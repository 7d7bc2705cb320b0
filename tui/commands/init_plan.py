"""The result of the questions of `gatekey init`: shown before it is written, written, and followed by what to do."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from store.site_switches import SWITCHES
from tui.commands.actor import actor
from tui.commands.values import in_words
from tui.store_location import DATABASE_VARIABLE, Options, first_store

if TYPE_CHECKING:
    from store.site_switches import Value

_NOTHING: Final = "nothing"


@dataclass(frozen=True, slots=True)
class Administrator:
    """The first account that may do everything."""

    name: str
    email: str = ""
    password: str | None = field(default=None, repr=False)
    """None if the account is there already, and becomes an administrator."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is to be written."""

    options: Options
    is_new: bool
    """True if there is no database yet."""
    administrator: Administrator | None
    changes: Mapping[str, str | None]
    """Switches of the site: the text of the value; None is the default."""
    stored: Mapping[str, "Value"]

    @property
    def is_empty(self) -> bool:
        return not self.is_new and self.administrator is None and not self.changes

    def lines(self, place: str) -> Iterator[str]:
        """A line for each thing that is to be written; `place` is that of the data."""
        if self.is_new:
            yield f"a new database: {place}"
        if self.administrator is not None and self.administrator.password is None:
            yield f"{self.administrator.name} becomes an administrator"
        elif self.administrator is not None:
            yield f"the administrator {self.administrator.name}, {self.administrator.email}"
        for name, text in self.changes.items():
            switch = SWITCHES[name]
            if switch.is_secret:
                yield f"{name} = {_NOTHING if text is None else 'a new secret'}"
                continue
            new = in_words(switch.default if text is None else switch.parse(text)) or _NOTHING
            old = in_words(self.stored.get(name, switch.default)) or _NOTHING
            yield f"{name} = {new} (was: {old})"

    def write(self) -> None:
        """Write it. On a first run everything is made or nothing. Raises the errors of the store."""
        from store.accounts import Role

        with first_store(self.options) as store:
            if self.administrator is not None and self.administrator.password is None:
                store.accounts.set_role(self.administrator.name, Role.ADMIN, actor=actor())
            elif self.administrator is not None:
                store.accounts.create(
                    self.administrator.name,
                    self.administrator.password,
                    email=self.administrator.email,
                    role=Role.ADMIN,
                    actor=actor(),
                    source="command line",
                )
            for name, text in self.changes.items():
                if text is None:
                    store.site.unset(name, actor=actor())
                else:
                    store.site.set(name, text, actor=actor())


def next_steps(plan: Plan, *, is_named: bool, over_ssh: bool) -> Iterator[str]:
    """The lines that say what to do next. `is_named` is True if a command finds the data only if told where it is."""
    if is_named and plan.options.database is not None:
        yield "Every command and every service has to know where the data is:"
        yield f"  export {DATABASE_VARIABLE}={shlex.quote(plan.options.database)}"
        yield ""
    yield "Next:"
    steps = [("gatekey doctor", "checks all of it")]
    if plan.changes.get("upstream.base_url") or plan.stored.get("upstream.base_url"):
        steps.append(("gatekey admin price set MODEL --input USD --output USD", "for every model that may be called"))
    steps.append(("gatekey serve", "answers the HTTP API, relays calls and sends notifications"))
    if over_ssh:
        steps.append(("gatekey ssh --host ::", "lets people in over SSH"))
    steps += [
        ("gatekey", "opens the console"),
        ("gatekey admin user add NAME --email ADDRESS", "adds an account"),
        ("gatekey init", "goes through all this again"),
    ]
    for command, what in steps:
        yield f"  {command}"
        yield f"      {what}"
