"""`gatekey account binding`: lists, adds and removes identities at other providers."""

from typing import Final

from store.errors import NoSuchItem
from store.values.bindings import BindingInfo
from tui.commands import streams
from tui.commands.account_action import Columns, Conversation, add_action, add_topic, iso, utc
from tui.commands.account_sign_in import wait_for_provider
from tui.commands.confirmation import UNCHANGED
from tui.commands.parsing import Commands, Parser


def add(actions: Commands) -> None:
    topic = add_topic(actions, "binding", "identities at other providers: list, add, remove")
    add_action(topic, "list", list_bindings, "list every provider, and the identity bound there")
    _add_provider(add_action(topic, "add", add_binding, "bind an identity, and end every other session"))
    _add_provider(add_action(topic, "remove", remove_binding, "remove a binding, and end every other session"))


async def list_bindings(talk: Conversation) -> int:
    overview = await talk.account.bindings()
    if not overview.enabled:
        streams.print_status("The administrator has switched account binding off.")
    talk.show_list("bindings", overview.bindings, _document, _COLUMNS)
    return 0


async def add_binding(talk: Conversation) -> int:
    login = await talk.account.begin_device_login(talk.arguments.provider_name)
    identity = await wait_for_provider(talk.account, login)
    who = identity.display or identity.subject
    if not talk.prompts.agree(f"{identity.provider.name} says that you are {who}. Type yes to bind this identity:"):
        streams.print_status(UNCHANGED)
        return 1
    await talk.proved(lambda: talk.account.bind(identity))
    talk.show({"bound": identity.provider.slug, "identity": who})
    streams.print_status(f"Bound {who} at {identity.provider.name}. Every other session has ended.")
    return 0


async def remove_binding(talk: Conversation) -> int:
    binding, binding_id = await _bound(talk)
    if not talk.prompts.agree(
        f"{binding.display or 'This identity'} will not sign in any more. Type yes to remove it:"
    ):
        streams.print_status(UNCHANGED)
        return 1
    await talk.proved(lambda: talk.account.unbind(binding_id))
    talk.show({"removed": binding.provider.slug})
    streams.print_status("The binding is removed. Every other session has ended.")
    return 0


async def _bound(talk: Conversation) -> tuple[BindingInfo, int]:
    """The binding at the provider that the command names, and its id. Raises `NoSuchItem` without one."""
    slug = talk.arguments.provider_name
    for binding in (await talk.account.bindings()).bindings:
        if binding.provider.slug == slug and binding.binding_id is not None:
            return binding, binding.binding_id
    raise NoSuchItem(f"No identity is bound at {slug}. See: gatekey account binding list")


def _add_provider(parser: Parser) -> None:
    parser.add_argument("provider_name", metavar="PROVIDER", help="the provider's short name in the list")


def _document(binding: BindingInfo) -> dict[str, object]:
    return {
        "provider": binding.provider.slug,
        "name": binding.provider.name,
        "bound": binding.binding_id is not None,
        "identity": binding.display or None,
        "bound_at": iso(binding.bound_at),
        "last_used_at": iso(binding.last_used_at),
    }


_COLUMNS: Final[Columns[BindingInfo]] = {
    "PROVIDER": lambda binding: binding.provider.slug,
    "NAME": lambda binding: binding.provider.name,
    "IDENTITY": lambda binding: "not bound" if binding.binding_id is None else binding.display or "bound",
    "BOUND": lambda binding: utc(binding.bound_at, ""),
    "LAST USED": lambda binding: "" if binding.binding_id is None else utc(binding.last_used_at),
}
