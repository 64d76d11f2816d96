"""Whether the service reaches what it needs: each is tried for at most three seconds."""

from __future__ import annotations
