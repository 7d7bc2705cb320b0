"""Bodies of requests that change an account, and the proof of identity in them.

A bearer token proves nothing about its holder. A change that needs a fresh proof carries it in the request.
"""

import asyncio
from typing import Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from gateway.problems import HttpProblem, InvalidDocument, validation_problem
from gateway.services import Services
from gateway.settings_schemas import ProofBody
from store.attempts import FAILED_ATTEMPT_ERRORS
from store.errors import FreshProofRequired, GatekeyError, NotEnabled
from store.token_proofs import Proof

B = TypeVar("B", bound=BaseModel)
_SEND_PROOF: Final = "Send proof with the request: your password, or the code that your authenticator app shows."
_MAX_CONCURRENT_PROOFS: Final = 2
_PROOF_ERRORS: Final[tuple[type[GatekeyError], ...]] = (*FAILED_ATTEMPT_ERRORS, NotEnabled)


class RequestProofs:
    """Checks the proofs of requests, at most two at once. One per application."""

    def __init__(self, services: Services) -> None:
        self._services = services
        # All routes share it: a check of a password is slow and occupies a thread of the store.
        self._proving = asyncio.Semaphore(_MAX_CONCURRENT_PROOFS)

    async def check(self, token: str, sent: ProofBody | None) -> Proof | None:
        """The checked proof of a request; None without one.

        Raises `FreshProofRequired` for a wrong one, `InvalidDocument`, and the errors of `store.proofs`.
        """
        if sent is None:
            return None
        async with self._proving:
            return await self._checked(token, sent)

    async def _checked(self, token: str, sent: ProofBody) -> Proof:
        password, code, proofs = sent.password, sent.code, self._services.store.proofs
        if (password is None) == (code is None):
            raise InvalidDocument("proof holds either a password or a code.", field="proof")
        try:
            if password is not None:
                return await self._services.threads.read(lambda: proofs.with_password(token, password))
            return await self._services.threads.read(lambda: proofs.with_code(token, code or ""))
        except _PROOF_ERRORS as error:
            # The token is right, so this is not 401.
            raise FreshProofRequired(str(error), field="proof") from error


def proof_missing(error: FreshProofRequired) -> FreshProofRequired:
    """`error` with a sentence on how to send a proof."""
    return FreshProofRequired(f"{error} {_SEND_PROOF}", field="proof")


async def read_body(request: Request, model: type[B]) -> B:
    """The body of a request as `model`. Raises `HttpProblem` 415, and `InvalidDocument`."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" or "content-encoding" in request.headers:
        raise HttpProblem(415, "Send the body as application/json, without a content encoding.")
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        raise validation_problem(error.errors(include_input=False, include_url=False, include_context=False)) from error
