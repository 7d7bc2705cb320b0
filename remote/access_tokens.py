"""The System Access Token. Asking the server for it makes a new one, and the former one is refused from then on."""

from typing import Final

from remote.calls import Calls
from remote.sessions import TokenSession
from store.clock import Clock
from store.errors import AnswerLost, AnswerUnreadable, NotOnThisServer, ServerRefused
from store.values.access_token import AccessTokenInfo, NewAccessToken

ROTATION_PATH: Final = "/api/user/token"
_LOST: Final = (
    "The answer with the new token did not arrive. The former token may be refused already: make another one."
)
_LONGEST: Final = 512


class AccessTokens:
    """Makes the token. There is no way to read it, to tell whether there is one, or to revoke it."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock

    async def rotate(self) -> NewAccessToken:
        """Make a token in the place of the former one. A session that is a token goes on with the new one.

        Call it at a person's word alone. Raises `AnswerLost`, `NotOnThisServer` and the session errors.
        """
        try:
            reply = await self._calls.change("GET", ROTATION_PATH)
        except ServerRefused as error:
            raise NotOnThisServer("This server did not make a token in the way that is known here.") from error
        except AnswerLost as error:
            raise AnswerLost(_LOST) from error
        token = reply.data
        if not isinstance(token, str) or not 8 <= len(token) <= _LONGEST or not all("!" <= one <= "~" for one in token):
            raise AnswerUnreadable
        session = self._calls.keeper.credential
        if isinstance(session, TokenSession):
            await self._calls.keeper.put(TokenSession(token, session.user_id))
        return NewAccessToken(token, AccessTokenInfo(token[-4:], self._clock.now(), None))
