"""Money and the server's quota, as exact integers. One dollar is `quota_per_usd` quota, usually 500,000."""

from decimal import Decimal

from store.money import MAXIMUM_MICRO_USD, MICRO_PER_USD


def micro_usd_of(quota: int | Decimal, per_usd: Decimal) -> int:
    """The money that a quota is worth, rounded down: a balance never looks larger than it is."""
    above, below = per_usd.as_integer_ratio()
    quota_above, quota_below = Decimal(quota).as_integer_ratio()
    return quota_above * MICRO_PER_USD * below // (quota_below * above)


def threshold_micro_usd(quota: Decimal, per_usd: Decimal) -> int:
    """The same for a threshold, which the server keeps unchecked, within the amounts that a form can hold."""
    if quota >= MAXIMUM_MICRO_USD * per_usd:  # before the division: 1e999999999 is a number in JSON
        return MAXIMUM_MICRO_USD
    return max(0, min(MAXIMUM_MICRO_USD, micro_usd_of(quota, per_usd)))


def quota_at_least(micro_usd: int, per_usd: Decimal) -> int:
    """The smallest quota worth that money or more: a warning comes early rather than late."""
    above, below = per_usd.as_integer_ratio()
    return -(-micro_usd * above // (MICRO_PER_USD * below))


def quota_at_most(micro_usd: int, per_usd: Decimal) -> int:
    """The largest quota worth that money or less: a limit is never higher than it was set."""
    above, below = per_usd.as_integer_ratio()
    return micro_usd * above // (MICRO_PER_USD * below)
