"""`python -m dev.aws package STAGE`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from chalicelib.errors import EltError
from dev.aws.package import package


def main(arguments: Sequence[str]) -> int:
    """Carry out one command; returns the exit code."""
    try:
        package(arguments[1])
    except EltError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
