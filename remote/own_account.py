"""The account as the server tells it: `GET self`."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from remote.calls import SELF_PATH, Calls
from remote.fields import Fields, required
from store.errors import AnswerUnreadable, RootAccount, ServerRefused

BUILT_IN_BINDINGS: Final = ("github", "discord", "oidc", "wechat", "telegram", "linux_do")
"""The providers whose identity `GET self` holds, as `<name>_id`."""


class Role(StrEnum):
    """The roles of an account."""

    USER = "user"
    ADMINISTRATOR = "administrator"
    ROOT = "root"


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """The account. Quotas are in the server's units; `remote.quota_units` makes money of them."""

    id: int
    name: str
    display_name: str
    email: str
    role: Role
    group: str
    quota: int
    used_quota: int
    request_count: int
    bound: tuple[tuple[str, str], ...]
    """For each of `BUILT_IN_BINDINGS` that is bound: its name, and the identity there."""
    settings: Fields = field(repr=False)
    """The settings that the server keeps, as `PUT setting` and its neighbours wrote them. They hold secrets."""
    sidebar_text: str = field(repr=False)
    """The sidebar as a JSON text; empty if the account never chose one."""
    may_choose_sidebar: bool
    hidden_for_role: Fields = field(repr=False)
    """Sections and modules of the sidebar that the role does not have."""
    has_password: bool | None
    """None if the server does not tell."""

    @property
    def language(self) -> str:
        """The language of the server's messages; empty if the account never chose one."""
        return self.settings.raw_text("language")

    @property
    def billing_preference(self) -> str:
        return self.settings.raw_text("billing_preference")


async def read_own_account(calls: Calls) -> OwnAccount:
    """The account of the session. Raises `SessionEnded`, and the children of `ServerFailed`."""
    return own_account(required(await calls.read(SELF_PATH)))


async def delete_own_account(calls: Calls) -> None:
    """Close the account. The server asks for nothing, and keeps keys, logs and billing; the name stays taken.

    Raises `RootAccount` for the root account, `ServerRefused` and the session errors.
    """
    try:
        await calls.change("DELETE", SELF_PATH)
    except ServerRefused as error:
        if (await read_own_account(calls)).role is Role.ROOT:
            raise RootAccount from error
        raise
    await calls.keeper.end(forget=True)


def own_account(data: Fields) -> OwnAccount:
    """The account in an answer. Raises `AnswerUnreadable` if it has no id or no name."""
    if data.whole("id") <= 0 or not data.raw_text("username"):
        raise AnswerUnreadable
    permissions = data.object("permissions")
    role = data.whole("role")
    settings = data.json_object("setting")
    return OwnAccount(
        id=data.whole("id"),
        name=data.text("username", 200),
        display_name=data.text("display_name", 200),
        email=data.text("email", 254),
        role=Role.ROOT if role >= 100 else Role.ADMINISTRATOR if role >= 10 else Role.USER,
        group=data.text("group", 80),
        quota=data.whole("quota"),
        used_quota=data.whole("used_quota"),
        request_count=data.whole("request_count"),
        bound=tuple((name, found) for name in BUILT_IN_BINDINGS if (found := data.text(f"{name}_id", 200))),
        settings=settings,
        sidebar_text=data.raw_text("sidebar_modules") or settings.raw_text("sidebar_modules"),
        may_choose_sidebar=permissions.flag("sidebar_settings", default=True),
        hidden_for_role=permissions.object("sidebar_modules"),
        has_password=data.flag("has_password") if "has_password" in data else None,
    )
