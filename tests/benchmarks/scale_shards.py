"""A simulation: accounts of very different size on a number of databases, by a hash of their id.

python -m tests.benchmarks.scale_shards

The n-th largest account makes calls in proportion to 1/n**exponent, as is usual for users of a service. The result is
exact and the same on each machine.
"""

import hashlib
from typing import Final

ACCOUNTS: Final = 200_000
EXPONENTS: Final = (0.7, 1.0)
SHARDS: Final = (4, 16, 128)


def simulate() -> None:
    """Print the share of the largest account, and how far the fullest database is above the mean."""
    places = [int.from_bytes(hashlib.sha256(b"%d" % number).digest()[:8], "big") for number in range(ACCOUNTS)]
    for exponent in EXPONENTS:
        calls = [1 / (number + 1) ** exponent for number in range(ACCOUNTS)]
        whole, found = sum(calls), []
        for shards in SHARDS:
            load = [0.0] * shards
            for place, made in zip(places, calls, strict=True):
                load[place % shards] += made
            found.append(f"{shards} databases {max(load) * shards / whole:.2f}")
        print(f"exponent {exponent}: largest account {calls[0] / whole:.2%} of all calls; fullest: {', '.join(found)}")


if __name__ == "__main__":
    simulate()
