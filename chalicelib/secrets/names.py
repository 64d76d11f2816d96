"""What a secret may be called: the same in a file, in Secrets Manager and in SSM."""

from __future__ import annotations

import re

from chalicelib.errors import UsageError

MAX_LENGTH = 200
"""AWS allows more, but its own prefixes and suffixes count, too."""

MAX_SEGMENTS = 10
"""SSM allows fifteen, those of the prefix included."""

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def checked(name: str) -> str:
    """The name itself. UsageError when it is none, or could lead out of its store.

    The message does not repeat it: what somebody took for a name may be the secret.
    """
    segments = name.split("/")
    fits = len(name) <= MAX_LENGTH and len(segments) <= MAX_SEGMENTS
    if fits and all(map(_SEGMENT.fullmatch, segments)):
        return name
    raise UsageError(
        "this cannot be the name of a secret",
        fix="A name is made of letters, digits, _, - and ., with / between its parts, as in"
        " warehouse/loader.",
    )
