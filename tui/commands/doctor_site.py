"""Doctor: the clock, and the consistency of the site's switches."""

import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from gateway.relying_party import relying_party_problems
from store.addresses import ALLOW_LIST_SETTING, AllowList
from store.errors import StoreUnavailable
from store.sections import NotificationSettings
from store.sessions import CLOCK_TOLERANCE
from tui.commands.findings import Finding, fail, ok, warn
from tui.store_location import Options, open_account_store

if TYPE_CHECKING:
    from store.deliveries import Deliveries
    from store.pricing import Pricing
    from store.site import Site
    from store.store import Store

NIST_MIN_CHARS: Final = 15
"""Characters of a password that is the only factor (NIST SP 800-63B-4, 3.1.1.2)."""
_TIMEDATECTL_TIMEOUT_S: Final = 5.0


def examine(options: Options, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Findings of the clock, and of the store if it can be opened."""
    yield synchronised()
    try:
        store = open_account_store(options, create=False, environ=environ)
    except StoreUnavailable:
        return  # a finding of doctor_data says why
    with store:
        yield clock(store.audit.newest_at(), datetime.now(UTC))
        yield from passkeys(store.site)
        yield password_length(store.site)
        yield from mail(store)
        yield from private_network(store.site)
        yield unreadable(store.deliveries)
        yield from prices(store.pricing)


def unreadable(deliveries: "Deliveries") -> Finding:
    """True if damaged notifications were set aside."""
    damaged = deliveries.count_damaged()
    if damaged:
        return warn(
            "notifications",
            f"{damaged} {'was' if damaged == 1 else 'were'} set aside: damaged in the database, never sent.",
            "Check the disk, and restore the database from a backup if there is more damage.",
        )
    return ok("notifications", "None was set aside as damaged.")


def prices(pricing: "Pricing") -> Iterator[Finding]:
    """Prices that could not be set today, each with the command that mends it."""
    from store.money import show_usd, type_usd

    dear = [price for price in pricing.all() if price.is_cached_dearer]
    for price in dear:
        most, cached = show_usd(price.input_per_million, exact=True), price.cached_input_per_million or 0
        command = f"gatekey admin price set --input {type_usd(price.input_per_million)}"
        command += f" --cached-input {type_usd(price.input_per_million)} --output {type_usd(price.output_per_million)}"
        if price.per_request:
            command += f" --request {type_usd(price.per_request)}"
        if price.max_output_tokens is not None:
            command += f" --max-output {price.max_output_tokens}"
        yield warn(
            "prices",
            f"Cached input of {price.model} costs {show_usd(cached, exact=True)} per million tokens, and other input "
            f"{most}: a call may cost more than it should.",
            f"Run, with the right amount: {command} -- {shlex.quote(price.model)}",
        )
    if not dear:
        yield ok("prices", "No model's cached input costs more than its other input.")


def clock(newest: datetime | None, now: datetime) -> Finding:
    """True if the clock is not behind the last recorded act."""
    if newest is None:
        return ok("clock", f"It shows {now:%Y-%m-%d %H:%M} UTC; nothing was recorded yet to compare it with.")
    behind = newest - now
    if behind > CLOCK_TOLERANCE:
        behind -= timedelta(microseconds=behind.microseconds)
        return fail(
            "clock",
            f"It is {behind} behind the last recorded act: codes will be refused and sessions will not work.",
            "Correct the clock.",
        )
    return ok("clock", f"It shows {now:%Y-%m-%d %H:%M} UTC, after the last recorded act.")


def synchronised() -> Finding:
    """True if the system synchronises its clock, if timedatectl knows."""
    program = shutil.which("timedatectl")
    answer = ""
    if program is not None:
        try:
            answer = subprocess.run(  # noqa: S603 - a fixed program with fixed arguments
                (program, "show", "--property=NTPSynchronized", "--value"),
                capture_output=True,
                text=True,
                timeout=_TIMEDATECTL_TIMEOUT_S,
                check=False,
            ).stdout.strip()
        except (OSError, subprocess.TimeoutExpired):
            answer = ""
    if answer == "yes":
        return ok("time service", "The clock is kept in time.")
    if answer == "no":
        return warn(
            "time service",
            "The clock is not kept in time, and six-digit codes live 30 seconds.",
            "Run timedatectl set-ntp true.",
        )
    return warn("time service", "Whether the clock is kept in time cannot be told here (timedatectl does not answer).")


def passkeys(site: "Site") -> Iterator[Finding]:
    """True if browsers accept the relying party of the passkeys."""
    if not site.flag("passkeys.enabled"):
        yield ok("passkeys", "Passkey login is not enabled.")
        return
    rp_id, origin = site.text("passkeys.rp_id"), site.text("passkeys.origin")
    problems = relying_party_problems(rp_id, origin, site.text("public_url"))
    for sentence in problems:
        yield fail("passkeys", sentence, "See gatekey admin site set --help.")
    if not problems:
        yield ok("passkeys", f"They belong to {rp_id} and are used at {origin}.")


def password_length(site: "Site") -> Finding:
    """True if a password that is the only factor has the length that NIST requires."""
    from store.site_switches import PASSWORD_MINIMUM

    shortest = site.number(PASSWORD_MINIMUM)
    if shortest >= NIST_MIN_CHARS:
        return ok("passwords", f"Without a second factor they have at least {shortest} characters.")
    return warn(
        "passwords",
        f"Without a second factor {shortest} characters are enough; NIST SP 800-63B-4 asks for {NIST_MIN_CHARS}.",
        f"Run gatekey admin site set {PASSWORD_MINIMUM} {NIST_MIN_CHARS}.",
    )


def private_network(site: "Site") -> Iterator[Finding]:
    """True if every entry in the list of allowed private addresses is valid."""
    for sentence in AllowList.read(site.items(ALLOW_LIST_SETTING)).unreadable:
        yield warn(
            "messages",
            f"{ALLOW_LIST_SETTING}: {sentence} That entry allows nothing.",
            f"Run gatekey admin site set {ALLOW_LIST_SETTING} LIST.",
        )


def mail(store: "Store") -> Iterator[Finding]:
    """True if e-mail can be sent, if an account uses it."""
    host = store.site.text("smtp.host")
    if host:
        if store.site.text("smtp.sender"):
            yield ok("e-mail", f"It is sent through {host}.")
        else:
            yield fail("e-mail", "There is a mail server, but no sender.", "Set smtp.sender: gatekey admin site set.")
        return
    waiting = [
        account.name
        for account in store.accounts.all()
        if store.settings.load_for(account.id, NotificationSettings).section.email_on
    ]
    if waiting:
        yield warn(
            "e-mail",
            f"No mail server is set, and warnings by e-mail are on for {len(waiting)} of the accounts.",
            "Run gatekey admin site set smtp.host HOST.",
        )
    else:
        yield ok("e-mail", "No mail server is set, and nobody asks for e-mail.")
