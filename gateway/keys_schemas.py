"""The documents of API keys: strict, money as decimal strings, times in ISO 8601 with a zone."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, Field

from gateway.account_schemas import Document, Usd, integer_from_float
from gateway.settings_schemas import ProofBody
from store.inputs import MAX_LABEL_LENGTH, MAX_MODEL_LENGTH
from store.key_limits import MAX_MODELS, MAX_NETWORKS, MAX_OVERLAP_MINUTES, MAX_REQUESTS_PER_MINUTE

Period = Literal["none", "daily", "weekly", "monthly"]
Name = Annotated[str, Field(min_length=1, max_length=MAX_LABEL_LENGTH)]
Models = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=MAX_MODEL_LENGTH)]], Field(min_length=1, max_length=MAX_MODELS)
]
Networks = Annotated[
    list[Annotated[str, Field(min_length=2, max_length=60, examples=["10.0.0.0/24"])]],
    Field(min_length=1, max_length=MAX_NETWORKS),
]
Rate = Annotated[int, BeforeValidator(integer_from_float), Field(ge=1, le=MAX_REQUESTS_PER_MINUTE)]
Overlap = Annotated[int, BeforeValidator(integer_from_float), Field(ge=0, le=MAX_OVERLAP_MINUTES)]


class ApiKeyDocument(Document):
    id: int
    name: str
    last_four: str
    state: Literal["active", "spent", "disabled", "expired", "revoked"]
    created_at: datetime
    expires_at: datetime | None
    spend_limit_usd: Usd | None
    limit_period: Period
    """The spend limit begins anew with each day, week (on Monday) or month, in UTC."""
    spent_usd: Usd
    """Spent in the current period; without a period, since the key was created."""
    total_spent_usd: Usd
    allowed_models: list[str] | None
    """Null: every model."""
    allowed_networks: list[str] | None
    """Null: every address."""
    requests_per_minute: int | None
    last_used_at: datetime | None
    last_used_ip: str | None
    """Null unless the account records addresses."""
    disabled_at: datetime | None
    revoked_at: datetime | None
    rotated_at: datetime | None
    previous_expires_at: datetime | None
    """Until then the key before the last rotation is accepted too."""


class NewApiKeyDocument(ApiKeyDocument):
    key: str
    """The key itself, this once."""


class ApiKeyListDocument(Document):
    """From new to old; of the revoked ones only the newest."""

    keys: list[ApiKeyDocument]


class ApiKeyLimitsBody(Document):
    expires_at: AwareDatetime | None = None
    spend_limit_usd: Usd | None = None
    limit_period: Period = "none"
    allowed_models: Models | None = None
    allowed_networks: Networks | None = None
    requests_per_minute: Rate | None = None
    proof: ProofBody | None = None


class ApiKeyCreation(ApiKeyLimitsBody):
    name: Name


class ApiKeyChange(ApiKeyLimitsBody):
    """The fields that are sent are changed; null takes a limit away."""

    name: Name | None = None
    disabled: bool | None = None


class ApiKeyRotation(Document):
    overlap_minutes: Overlap = 0
    """Minutes for which the old key is accepted; 0: it ends at once."""
    proof: ProofBody | None = None
