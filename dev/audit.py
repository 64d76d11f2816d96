"""`python -m dev.audit`: known weaknesses of what is pinned, by pip-audit.

pip-audit calls a package that its source of advisories does not know, or cannot be asked about,
"skipped", and the audit a success. Here that is said, and is none.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")


def main() -> int:
    """Audit each file of requirements. 1 when something is known to be weak."""
    return max(_audit(name) for name in REQUIREMENTS)


def verdict(report: Mapping[str, Any]) -> tuple[str, int]:
    """What a report of pip-audit comes to, in words, and the exit code."""
    audited = [one for one in report["dependencies"] if "skip_reason" not in one]
    skipped = len(report["dependencies"]) - len(audited)
    weak = [
        f"{one['name']} {one['version']}: {known['id']}, mended in "
        f"{', '.join(known['fix_versions']) or 'no version yet'}"
        for one in audited
        for known in one["vulns"]
    ]
    if not audited:
        return f"not audited: no advisories can be had for any of {skipped} packages", 0
    unknown = f"; no advisories can be had for {skipped}" if skipped else ""
    summary = f"{len(audited)} packages audited, {len(weak)} weak{unknown}"
    return "\n".join([summary, *weak]), min(len(weak), 1)


def _audit(requirements: str) -> int:
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"]
    pinned = ["--no-deps", "--disable-pip", "--requirement", requirements]
    done = subprocess.run(
        [*command, *pinned], cwd=ROOT, capture_output=True, text=True, check=False
    )
    try:
        said, code = verdict(json.loads(done.stdout))
    except ValueError:
        reason = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        said, code = f"not audited: no source of advisories can be reached ({reason[:200]})", 0
    print(f"{requirements}: {said}")
    return code


if __name__ == "__main__":
    sys.exit(main())
