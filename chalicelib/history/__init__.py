"""The service database: versions of the configuration (`configs`), runs and their leases.

Times are the database's own, so that no two machines need to agree on one.
"""

from __future__ import annotations

from sqlalchemy import Engine

from chalicelib import database
from chalicelib.history.migrations import migrate

__all__ = ["connect", "migrate"]


def connect() -> Engine:
    """An engine for ELT_SERVICE_URL, or else for ELT_TARGET_URL; it connects when it is used.

    Raises TargetError when neither is set.
    """
    return database.connect_service()
