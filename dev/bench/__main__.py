"""`python -m dev.bench [load|service]`: all that is measured, or one of the two."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from dev.bench import load, peers, service
from dev.bench.report import page, results
from dev.bench.report.machine import describe
from dev.bench.server import Server
from dev.bench.shapes import SHAPES, USUAL
from dev.postgres import postgres


def main() -> None:
    """Measure what was asked for, one after the other."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # compiled once, as where it is installed
    options = _options()
    if options.what != "service":
        _load(options)
    if options.what != "load":
        service.bench()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dev.bench")
    parser.add_argument("what", nargs="?", choices=("load", "service"), help="default: both")
    parser.add_argument(
        "--shapes", nargs="*", choices=SHAPES, default=USUAL, metavar="SHAPE",
        help=f"what is loaded, of {', '.join(SHAPES)}; default: all but huge, which is 4 GB",
    )  # fmt: skip
    parser.add_argument("--rows", type=int, default=1_000_000, help="of orders; others follow")
    parser.add_argument("--pairs", type=int, default=3, help="of each shape and number of cores")
    parser.add_argument("--peers", action="store_true", help="install other loaders, and compare")
    parser.add_argument(
        "--figures", type=Path, default=page.FIGURES, metavar="FILE",
        help="where they are kept, with the page beside them; default: dev/bench/results.json",
    )  # fmt: skip
    return parser.parse_args()


def _load(options: argparse.Namespace) -> None:
    """Measure, and keep the figures of each shape as soon as they are there."""
    with tempfile.TemporaryDirectory(prefix="elt-bench-") as name:
        folder = Path(name)
        with postgres(folder / "postgres") as url:
            server = Server(url)
            kept = results.earlier(options.figures, describe(server))
            for shape in options.shapes:
                kept.shapes[shape] = load.measure(
                    shape, options.rows, options.pairs, server, folder
                )
                _keep(kept, options.figures)
                print(page.summary(kept.shapes[shape]), flush=True)
            for peer in (
                peers.compare(options.rows, options.pairs, server, folder) if options.peers else ()
            ):
                kept.peers[peer.name] = peer
                _keep(kept, options.figures)
    print(f"\n{options.figures.with_suffix('.md')}")


def _keep(kept: results.Results, figures: Path) -> None:
    results.save(kept, figures)
    page.write(figures)


if __name__ == "__main__":
    main()
