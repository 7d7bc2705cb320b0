"""The playground: a question to a model, and the parts of its answer."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from store.values.billing import ModelPrice
from store.values.usage import Kind


class PlaygroundMode(StrEnum):
    """The kinds of answers."""

    TEXT = "text"
    IMAGE = "image"


class Speaker(StrEnum):
    """The roles of a chat, as the OpenAI protocol names them."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class ChatTurn(NamedTuple):
    """One message of a chat."""

    speaker: Speaker
    text: str


class PlaygroundQuestion(NamedTuple):
    """A chat that ends with a message of the user, and who pays for its answer."""

    model: str
    turns: tuple[ChatTurn, ...]
    key_id: int | None = None
    """The API key whose limits hold and which is charged; None: the account itself."""
    system_prompt: str = ""
    temperature: float | None = None
    """None: the model's default."""
    max_tokens: int | None = None
    """The longest answer in tokens; None: as long as the model's price or the site allows."""
    mode: PlaygroundMode = PlaygroundMode.TEXT
    """An image is made from the last message alone."""


class AnswerText(NamedTuple):
    """The next piece of the answer."""

    text: str
    is_reasoning: bool = False
    """True for the model's reasoning before its answer, where the model server sends it."""


@dataclass(frozen=True, slots=True)
class AnswerImage:
    """An image: at an address, or as its bytes."""

    url: str = ""
    data: bytes = field(default=b"", repr=False)


class AnswerEnd(NamedTuple):
    """The end of an answer, as it was booked."""

    request_id: str
    kind: Kind
    status: str
    """"ok", or the code of the failure."""
    detail: str
    """A sentence on what is special about the answer; empty for a plain one."""
    prompt_tokens: int
    completion_tokens: int
    cost_micro_usd: int | None
    """None: the call could not be booked yet; the booking is tried again."""
    duration_ms: int
    first_token_ms: int | None
    """Milliseconds from the question to the first piece of text; None if none came."""


AnswerPart = AnswerText | AnswerImage | AnswerEnd


class PlaygroundPrice(NamedTuple):
    """The price of a model for one account."""

    price: ModelPrice | None
    """None without a price; the site's rate for such models where there is one (`is_default`)."""
    is_refused: bool = False
    """True if the account, or the administrator, accepts no model without a price."""


class CostEstimate(NamedTuple):
    """The cost of an answer before it is asked for, in micro-USD."""

    prompt_tokens: int
    """An estimate."""
    answer_tokens: int
    """The most the answer can have."""
    most_micro_usd: int | None
    """The amount that will be held; None: the model has no price."""
