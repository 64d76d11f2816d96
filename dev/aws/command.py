"""Other programs, quiet unless they fail."""

from __future__ import annotations

import subprocess
from typing import Any

from chalicelib.errors import EltError

SHOWN = 4000
"""Characters of what a program said last."""


def run(*command: str, **options: Any) -> None:
    """Run it to its end. Raises EltError with what it said when it fails."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options
    )
    if done.returncode:
        name = " ".join(word for word in command[:5] if "\n" not in word)
        raise EltError(f"it failed with {done.returncode}:\n{done.stdout[-SHOWN:]}", where=name)
