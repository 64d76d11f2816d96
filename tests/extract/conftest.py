"""A server that answers as a test says."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.extract.server import running


@pytest.fixture
def serve():
    """Start servers that live until the test ends."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(running(answer))
