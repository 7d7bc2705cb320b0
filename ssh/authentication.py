"""Authentication of one connection: a registered key, or password and code, or the way to the sign-in screen.

The method `none` always fails: clients send it first, to ask for the methods (RFC 4252, 5.2), and one that was let in
by it would never present its key. A client that presented keys, none of which fits, gets the sign-in screen without a
question, if the site allows it. That depends on nothing but its keys, so it tells nobody which names exist.
"""

from collections.abc import Sequence
from typing import Final

import asyncssh

from ssh.fork_request import Answer
from ssh.sign_ins import SignIns
from store.errors import (
    ClockSkewed,
    CodeAlreadyUsed,
    GatekeyError,
    WrongCode,
    WrongCredentials,
)
from store.text import sanitize
from store.values.sign_in import SecondFactorNeeded

MAX_KEYS: Final = 20
"""Keys that a client may present on one connection. An agent presents all that it holds."""
MAX_ANSWERS: Final = 6
"""Passwords and codes that a client may send on one connection."""
MAX_SECRET_CHARS: Final = 1024

Challenge = tuple[str, str, str, list[tuple[str, bool]]]
_CODE_AGAIN: Final = (WrongCode, CodeAlreadyUsed, ClockSkewed)


class Authentication:
    """The state of one connection that is not authenticated yet."""

    def __init__(self, sign_ins: SignIns, address: str) -> None:
        self.answer: Answer = None
        """Set when a sign-in succeeded."""
        self.offers_sign_in = False
        """True if the site lets strangers see the sign-in screen."""
        self._sign_ins = sign_ins
        self._address = address
        self._step: SecondFactorNeeded | None = None
        self._is_refused = False
        self._key_refusal = ""
        """The reason why a key that fits was refused, as a sentence; the next method tells it."""
        self._keys = 0
        self._answers = 0

    async def begin(self) -> None:
        """Read the site's switches. Raises nothing: without an answer of the database the screen is not offered."""
        self.offers_sign_in = await self._sign_ins.offers_screen()

    async def is_known(self, fingerprint: str) -> bool:
        """True if a client may prove that it has this key. Raises `asyncssh.PermissionDenied` for too many keys."""
        self._keys += 1
        if self._keys > MAX_KEYS:
            raise _too_many("keys")
        return await self._sign_ins.is_registered(fingerprint)

    async def key_proved(self, name: str, fingerprint: str) -> bool:
        """Sign in with a key whose signature was right; False if it does not open the account `name`."""
        try:
            self.answer = await self._sign_ins.with_key(fingerprint, name, self._address)
        except WrongCredentials:
            return False
        except GatekeyError as error:
            self._key_refusal = _sentence(error)
            return False
        return True

    def first_challenge(self) -> bool | Challenge:
        """The first question; True opens the sign-in screen."""
        self._step, self._is_refused = None, False
        if self._key_refusal:
            sentence, self._key_refusal = self._key_refusal, ""
            return self._refuse(sentence)
        if self.offers_sign_in and self._keys:
            return True
        return _password_question(offers_sign_in=self.offers_sign_in)

    async def next_challenge(self, name: str, responses: Sequence[str]) -> bool | Challenge:
        """The next question; True if the person is in, False if the answer was wrong.

        Raises `asyncssh.PermissionDenied` for too many answers.
        """
        if self._is_refused or len(responses) != 1 or len(responses[0]) > MAX_SECRET_CHARS:
            return False
        if self.offers_sign_in and self._step is None and not responses[0]:
            return True
        self._answers += 1
        if self._answers > MAX_ANSWERS:
            raise _too_many("wrong answers")
        try:
            if self._step is None:
                entered = await self._sign_ins.with_password(name, responses[0], self._address)
            else:
                entered = await self._sign_ins.with_code(self._step, responses[0])
        except WrongCredentials:
            return False
        except _CODE_AGAIN as error:
            return _code_question(_sentence(error))
        except GatekeyError as error:
            return self._refuse(_sentence(error))
        if isinstance(entered, SecondFactorNeeded):
            self._step = entered
            return _code_question(f"{sanitize(entered.name)} has two-factor authentication.")
        self.answer = entered
        return True

    def _refuse(self, sentence: str) -> Challenge:
        """A challenge without a question: a client shows its sentence, and answers with nothing."""
        self._is_refused = True
        return "", sentence, "", []


def _password_question(*, offers_sign_in: bool) -> Challenge:
    question = "Password (Enter alone opens the sign-in screen): " if offers_sign_in else "Password: "
    return "", "", "", [(question, False)]


def _code_question(sentence: str) -> Challenge:
    return "", sentence, "", [("Code of your authenticator app, or a backup code: ", False)]


def _sentence(error: GatekeyError) -> str:
    return sanitize(f"{error.title}. {error}")


def _too_many(what: str) -> asyncssh.PermissionDenied:
    return asyncssh.PermissionDenied(f"Too many {what}.")
