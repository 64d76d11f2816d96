"""What AWS takes for a large run: eu-central-1, x86, in dollars, without free tiers."""

from __future__ import annotations

GB_SECOND = 0.0000166667
"""Of memory of a function."""

DISK_GB_SECOND = 0.0000000368
"""Of its /tmp beyond the first 512 MB."""

INVOCATION = 0.20 / 1e6
TRANSITION = 0.025 / 1000
"""Of a state machine; the child of a map has one state, and its start counts as well."""

PART_MEMORY, PART_DISK, FINISH_MEMORY = 1.769, 9.5, 1.024
"""GB, as `.chalice/config.json` and `dev/aws/functions.py` give them."""


def cost(parts: int, seconds: float, finish: float) -> float:
    """Of so many parts that take so many seconds together, and of their publication."""
    working = seconds * (PART_MEMORY * GB_SECOND + PART_DISK * DISK_GB_SECOND)
    publishing = finish * FINISH_MEMORY * GB_SECOND
    return working + publishing + parts * (INVOCATION + 2 * TRANSITION)
