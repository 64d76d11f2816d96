"""One measured run, in a process of its own; its figures are the last line it prints."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def main(config: str) -> None:
    """Load, then print the seconds of the run, by the clock and of the CPU."""
    from chalicelib import pipeline
    from chalicelib.config import load_config

    started, used = time.perf_counter(), time.process_time()
    pipeline.run(load_config(Path(config)), Path(config).parent)
    took, used = time.perf_counter() - started, time.process_time() - used
    print(json.dumps({"run": took, "run_cpu": used}))


if __name__ == "__main__":
    main(sys.argv[1])
