"""Folders that no source reaches: whoever writes a configuration sees what it reads."""

from __future__ import annotations

import os
from pathlib import Path

from chalicelib import settings

_SYSTEM = (Path("/proc"), Path("/sys"), Path("/dev"))
"""Processes tell their environment there, a Lambda's own keys in it."""


def is_out_of_reach(path: Path) -> bool:
    """Whether the path is, or links lead it into, the folder of the secrets or the system's own."""
    found = _real(path)
    return any(found.is_relative_to(_real(no)) for no in (settings.secrets_folder(), *_SYSTEM))


def _real(path: Path) -> Path:
    """Without links, and in one case: some file systems do not tell `.LOCAL` from `.local`."""
    return Path(os.path.realpath(path).casefold())
