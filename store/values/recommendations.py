"""The five operational recommendations."""

from enum import StrEnum
from typing import Final, NamedTuple


class Advice(StrEnum):
    """The recommendations. The value is the key of the setting to change."""

    TWO_FACTOR = "two-factor"
    BACKUP_CODES = "backup-codes"
    ACCESS_TOKEN = "access-token"  # noqa: S105 - the name of a setting
    QUOTA_WARNING = "quota-warning"
    PRICING = "pricing"


TITLES: Final = {
    Advice.TWO_FACTOR: "Enable Two-Factor Authentication",
    Advice.BACKUP_CODES: "Store backup recovery codes offline",
    Advice.ACCESS_TOKEN: "Keep the System Access Token confidential",
    Advice.QUOTA_WARNING: "Configure quota warnings to avoid service disruption",
    Advice.PRICING: "Carefully review pricing safeguards before enabling models without price settings",
}


class Check(NamedTuple):
    """The result for one recommendation, with one sentence on the current state."""

    advice: Advice
    is_met: bool
    finding: str

    @property
    def title(self) -> str:
        return TITLES[self.advice]
