"""One measured run, in a process of its own; its figures are the last line it prints."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path


def main(config: str) -> None:
    """Load, then print the seconds of the run, of the CPU, and the peak of resident memory."""
    from chalicelib import pipeline
    from chalicelib.config import load_config

    started = time.perf_counter()
    pipeline.run(load_config(Path(config)), Path(config).parent)
    took = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "run": took,
        "cpu": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss * 1024,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1])
