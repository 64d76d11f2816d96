"""One measured run, in a process of its own; its figures are the last line it prints."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


def main(config: str, parts: str) -> None:
    """Load, then print the seconds of the run, by the clock and of the CPU, and of its steps."""
    from chalicelib import pipeline
    from chalicelib.config import load_config

    options: dict[str, Any] = {}
    if (count := int(parts)) > 1:
        from chalicelib.processes import InProcesses
        from chalicelib.several import Cut

        options = {"cut": Cut(parts=count), "work": InProcesses(count)}
    started, used = time.perf_counter(), time.process_time()
    result = pipeline.run(load_config(Path(config)), Path(config).parent, **options)
    took, used = time.perf_counter() - started, time.process_time() - used
    print(json.dumps({"run": took, "run_cpu": used, "steps": result.seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
