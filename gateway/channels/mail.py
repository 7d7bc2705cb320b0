"""Formats a message as an e-mail: one sender, one recipient, plain text with an HTML alternative."""

import html
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from gateway.channels.message import Message
from store import inputs
from store.errors import InvalidEmail
from store.host_names import ascii_host


def one_address(text: str) -> str:
    """`text` as exactly one ASCII address, its domain in punycode if necessary (RFC 5321, 4.1.2).

    Apart from punycode the rule is the store's, so every saved address can be used.

    Raises:
        InvalidEmail: for none, several, a display name, a quoted or non-ASCII local part, an address literal.
    """
    local_part, _, domain = text.rpartition("@")
    if " " in text:
        raise InvalidEmail
    try:
        return inputs.check_email(f"{local_part}@{ascii_host(domain)}")
    except ValueError as error:
        raise InvalidEmail from error


def compose(message: Message, sender: str, recipient: str) -> EmailMessage:
    """`message` as an e-mail. Both addresses have passed `one_address`.

    Message-ID and Date come from the message, so a repeated delivery is recognized as one.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address("Gatekey", addr_spec=sender)
    mail["To"] = Address(addr_spec=recipient)
    mail["Subject"] = message.title
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = f"<{message.id}@{domain_of(sender)}>"
    mail["Auto-Submitted"] = "auto-generated"  # suppresses vacation replies (RFC 3834, 5)
    mail.set_content(message.text)
    mail.add_alternative(_page(message), subtype="html")
    return mail


def domain_of(address: str) -> str:
    """The part after the @."""
    return address.rpartition("@")[2]


def _page(message: Message) -> str:
    lines = "<br>\n".join(html.escape(line) for line in message.text.splitlines())
    title = html.escape(message.title)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n'
        f"<body><h1>{title}</h1>\n<p>{lines}</p></body></html>\n"
    )
