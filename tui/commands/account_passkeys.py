"""`gatekey account passkey`: lists, adds, renames and removes passkeys."""

from typing import Final

from store.values.passkeys import PasskeyInfo
from tui.commands import streams
from tui.commands.account_action import Columns, Conversation, add_action, add_topic, iso, utc
from tui.commands.account_sign_in import wait_for_browser
from tui.commands.confirmation import UNCHANGED
from tui.commands.parsing import Commands, Parser, whole_number


def add(actions: Commands) -> None:
    topic = add_topic(actions, "passkey", "passkeys: list, add, rename, remove")
    add_action(topic, "list", list_passkeys, "list every passkey")
    adding = add_action(topic, "add", add_passkey, "register a passkey in a browser, at an address that is printed")
    adding.add_argument("label", metavar="NAME", help="what tells the passkey apart from others")
    renaming = add_action(topic, "rename", rename_passkey, "rename a passkey")
    _add_number(renaming)
    renaming.add_argument("label", metavar="NAME", help="its new name")
    _add_number(add_action(topic, "remove", remove_passkey, "remove a passkey, and end every other session"))


async def list_passkeys(talk: Conversation) -> int:
    passkeys = (await talk.account.security()).passkeys
    talk.show_list("passkeys", passkeys, _document, _COLUMNS)
    return 0


async def add_passkey(talk: Conversation) -> int:
    label = talk.arguments.label
    page = await talk.proved(lambda: talk.account.begin_passkey_registration(label))
    await wait_for_browser(talk.account, page)
    talk.show({"added": label})
    streams.print_status(f"Added the passkey {label}.")
    return 0


async def rename_passkey(talk: Conversation) -> int:
    number, label = talk.arguments.number, talk.arguments.label
    await talk.proved(lambda: talk.account.rename_passkey(number, label))
    talk.show({"renamed": number, "name": label})
    streams.print_status(f"The passkey is called {label} now.")
    return 0


async def remove_passkey(talk: Conversation) -> int:
    number = talk.arguments.number
    if not talk.prompts.agree("The passkey will not sign in any more. Type yes to remove it:"):
        streams.print_status(UNCHANGED)
        return 1
    await talk.proved(lambda: talk.account.remove_passkey(number))
    talk.show({"removed": number})
    streams.print_status("The passkey is removed. Every other session has ended.")
    return 0


def _add_number(parser: Parser) -> None:
    parser.add_argument("number", metavar="NO", type=whole_number(1, 2**63 - 1), help="its number in the list")


def _document(passkey: PasskeyInfo) -> dict[str, object]:
    return {
        "id": passkey.id,
        "name": passkey.label,
        "created_at": iso(passkey.created_at),
        "last_used_at": iso(passkey.last_used_at),
        "flagged_at": iso(passkey.flagged_at),
    }


_COLUMNS: Final[Columns[PasskeyInfo]] = {
    "NO": lambda passkey: passkey.id,
    "NAME": lambda passkey: passkey.label,
    "ADDED": lambda passkey: utc(passkey.created_at),
    "LAST USED": lambda passkey: utc(passkey.last_used_at),
    "STATE": lambda passkey: "refused: its counter went backwards" if passkey.flagged_at else "works",
}
