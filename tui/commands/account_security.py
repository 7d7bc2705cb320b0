"""`gatekey account password`, `token` and `sessions`."""

from typing import Final

from store.text import pluralize
from store.values.sessions import SessionInfo
from tui.commands import streams
from tui.commands.account_action import Columns, Conversation, add_action, add_topic, iso, utc
from tui.commands.confirmation import UNCHANGED
from tui.commands.parsing import Commands, whole_number


def add(actions: Commands) -> None:
    add_action(actions, "password", change_password, "change the password, and end every other session")
    token = add_topic(actions, "token", "the System Access Token: make one, or revoke it")
    add_action(token, "create", create_token, "make a System Access Token in the place of the old one, and print it")
    add_action(token, "revoke", revoke_token, "revoke the System Access Token")
    sessions = add_topic(actions, "sessions", "where you are signed in: list and end sessions")
    add_action(sessions, "list", list_sessions, "list every session, this command's own first")
    ending = add_action(sessions, "end", end_session, "end one other session")
    ending.add_argument("number", metavar="NO", type=whole_number(1, 2**63 - 1), help="its number in the list")
    add_action(sessions, "end-others", end_others, "end every session but this command's own")


async def change_password(talk: Conversation) -> int:
    original = talk.password
    if not original and (await talk.account.security()).has_password:
        original = talk.prompts.secret("current password")
    length = await talk.account.minimum_password_length()
    streams.print_status(f"The new password needs {length} characters or more.")
    new = talk.prompts.secret("new password")
    confirmation = talk.prompts.secret("new password again")
    await talk.proved(lambda: talk.account.change_password(original, new, confirmation))
    talk.show({"changed": True})
    streams.print_status("The password is changed. Every other session has ended.")
    return 0


async def create_token(talk: Conversation) -> int:
    if (await talk.account.security()).access_token is not None:
        question = "The old token stops working now. Type yes to make a new one:"
        if not talk.prompts.agree(question):
            streams.print_status(UNCHANGED)
            return 1
    made = await talk.proved(talk.account.generate_access_token)
    talk.show({"token": made.token, "created_at": iso(made.info.created_at)}, made.token)
    streams.print_status("Keep the token: it is shown once.")
    return 0


async def revoke_token(talk: Conversation) -> int:
    await talk.proved(talk.account.revoke_access_token)
    talk.show({"revoked": True})
    streams.print_status("The token is revoked: it is refused from now on.")
    return 0


async def list_sessions(talk: Conversation) -> int:
    sessions = (await talk.account.security()).sessions
    talk.show_list("sessions", sessions, _document, _COLUMNS)
    return 0


async def end_session(talk: Conversation) -> int:
    await talk.account.revoke_session(talk.arguments.number)
    talk.show({"ended": [talk.arguments.number]})
    streams.print_status(f"Session {talk.arguments.number} has ended.")
    return 0


async def end_others(talk: Conversation) -> int:
    count = await talk.account.sign_out_others()
    talk.show({"ended": count})
    streams.print_status(f"{pluralize(count, 'other session')} ended." if count else "There were no other sessions.")
    return 0


def _document(session: SessionInfo) -> dict[str, object]:
    return {
        "id": session.id,
        "is_current": session.is_current,
        "method": session.method,
        "source": session.source,
        "created_at": iso(session.created_at),
        "last_active_at": iso(session.last_active_at),
    }


_COLUMNS: Final[Columns[SessionInfo]] = {
    "NO": lambda session: session.id,
    "THIS": lambda session: "this one" if session.is_current else "",
    "METHOD": lambda session: session.method,
    "FROM": lambda session: session.source,
    "STARTED": lambda session: utc(session.created_at),
    "LAST ACTIVE": lambda session: utc(session.last_active_at),
}
