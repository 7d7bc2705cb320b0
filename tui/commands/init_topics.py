"""The topics of `gatekey init`, one function each, in the order in which they are asked."""

import os
from pathlib import Path
from textwrap import wrap
from typing import Final
from urllib.parse import urlsplit

from store import inputs, passwords
from store.errors import InvalidInput
from store.site_switches import PASSWORD_MINIMUM
from store.text import fold
from tui.commands import streams
from tui.commands.init_interview import Interview
from tui.commands.init_plan import Administrator, Plan
from tui.commands.init_state import State, state_of
from tui.commands.parsing import has_password
from tui.store_location import Options

_PROXY_HERE: Final = "127.0.0.1/32"
_SUBMISSION_PORT: Final = "587"
"""RFC 6409."""
_IMPLICIT_TLS_PORT: Final = "465"
"""RFC 8314, section 3.3."""
_COLUMNS: Final = 78


def data(options: Options) -> tuple[Options, State]:
    """The options with the place of the data, and what is there. It is asked only if nothing names it.

    Raises EOFError, and `StoreUnavailable` if the place was named before.
    """
    from store.default_paths import default_path
    from tui.data_place import place

    _title(
        "Data",
        "It is kept in a file (SQLite), which is right for one machine, or in PostgreSQL, at an address such as "
        "postgresql://gatekey@db.example.com/gatekey.",
    )
    if options.database or options.no_files:
        streams.print_status(f"This one: {place(options, os.environ)}.")
        found = options, state_of(options)
    else:
        path, home = default_path(), Path.home()
        default = f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)

        def read(answer: str) -> tuple[Options, State]:
            if has_password(answer):
                raise InvalidInput("Leave the password out of the address, and put it into ~/.pgpass.")
            if answer == default:
                return options, state_of(options)
            named = answer if ":/" in answer else str(Path(answer).expanduser().absolute())
            return options._replace(database=named), state_of(options._replace(database=named))

        found = Interview({}, frozenset()).answer("File or address", read, default=default)
    if not found[1].is_new:
        streams.print_status("There is data already. It stays; each question shows what is stored.")
    return found


def administrator(ask: Interview, state: State) -> Administrator:
    """The first administrator: a new account, or one that is there. Raises EOFError."""
    _title("Administrator", "This account signs in to the console with its name and password.")
    name = ask.answer("Name", inputs.check_name)
    while there := state.names.get(fold(name)):
        if ask.agree(f"There is an account {there}. Make it an administrator?", default=True):
            return Administrator(there)
        name = ask.answer("Name", inputs.check_name)
    email = ask.answer("E-mail address", inputs.check_email)

    shortest = int(ask.words(PASSWORD_MINIMUM))

    def read(answer: str) -> str:
        password = passwords.prepare(answer)
        passwords.check_new(password, (name, email), field="password", shortest=shortest)
        if ask.answer("Password again (unseen)", passwords.prepare, unseen=True) != password:
            raise InvalidInput("The password was not the same twice.")
        return password

    return Administrator(name, email, ask.answer("Password (unseen)", read, unseen=True))


def public_address(ask: Interview) -> None:
    """The address of the site, the proxy before it, and passkeys. Raises EOFError."""
    _title(
        "Address",
        "People and programs reach Gatekey there, such as https://gateway.example.com. Gatekey itself speaks HTTP: "
        "a proxy before it speaks HTTPS.",
    )
    address = ask.ask("public_url", "Public address")
    if not address:
        return
    if address.startswith("https://"):
        ask.ask("gateway.trusted_proxies", "Networks of the proxy, with commas between", suggested=_PROXY_HERE)
    if ask.switch("passkeys.enabled", "Offer passkeys at this address?"):
        ask.keep("passkeys.origin", address)
        ask.keep("passkeys.rp_id", urlsplit(address).hostname)


def model_server(ask: Interview) -> None:
    """The server that answers the calls, and what a call without a price is. Raises EOFError."""
    _title(
        "Model server",
        "It answers the calls that Gatekey relays. Its address is one such as https://models.example.com/v1.",
    )
    if not ask.ask("upstream.base_url", "Its address"):
        return
    ask.ask_secret("upstream.api_key", "Its API key")
    may = ask.agree(
        "May accounts choose to call models that have no price?", default=ask.current("price.unpriced") == "account"
    )
    ask.keep("price.unpriced", "account" if may else "forbid")


def mail(ask: Interview) -> None:
    """The mail server. Raises EOFError."""
    _title("Mail", "Quota warnings, security notices and confirmation codes are sent by mail (SMTP).")
    if not ask.ask("smtp.host", "Mail server"):
        return
    security = ask.ask("smtp.security", "Encryption of the connection (starttls or tls)")
    if security == "tls" and ask.words("smtp.port") == _SUBMISSION_PORT:
        ask.keep("smtp.port", _IMPLICIT_TLS_PORT)
    ask.ask("smtp.port", "Its port")
    if ask.ask("smtp.username", "User name there"):
        ask.ask_secret("smtp.password", "Password there")
    ask.ask(
        "smtp.sender", "Address that the mail comes from", needed="Mail needs a sender, such as gatekey@example.com."
    )


def ssh(ask: Interview) -> bool:
    """Returns whether people come in over SSH. Raises EOFError."""
    _title("SSH", "gatekey ssh serves the console on a port of its own: ssh -p 2222 NAME@HOST.")
    if not ask.agree("Will people come in that way?", default=bool(ask.current("ssh.address"))):
        ask.keep("ssh.address", None)
        return False
    host = urlsplit(ask.words("public_url")).hostname
    ask.ask("ssh.address", "Host and port that they connect to", suggested=f"{host}:2222" if host else "")
    ask.switch("ssh.sign_in_screen", "May strangers see the sign-in screen there?")
    return True


def agree_to(ask: Interview, plan: Plan) -> bool:
    """Show the plan, and return whether it is to be written. Raises EOFError."""
    from tui.data_place import place

    _title("All of it", "This will be written:")
    for line in plan.lines(place(plan.options, os.environ)):
        streams.print_status(f"  {line}")
    return ask.agree("Write it?", default=True)


def _title(title: str, explanation: str) -> None:
    streams.print_status("")
    for line in wrap(f"{title}. {explanation}", _COLUMNS):
        streams.print_status(line)
