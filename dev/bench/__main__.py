"""`python -m dev.bench [load|service]`: all that is measured, or one of the two."""

from __future__ import annotations

import argparse

from dev.bench import load, service


def main() -> None:
    """Measure what was asked for, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m dev.bench")
    parser.add_argument("what", nargs="?", choices=("load", "service"), help="default: both")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    if options.what != "service":
        load.bench(options.rows, options.pairs)
    if options.what != "load":
        service.bench()


if __name__ == "__main__":
    main()
