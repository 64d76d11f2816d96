"""Lines of the log, for machines and for people."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from chalicelib import log


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    logger = logging.getLogger("elt")
    before = logger.handlers, logger.level, logger.propagate
    yield
    logger.handlers, logger.propagate = before[0], before[2]
    logger.setLevel(before[1])


def line(*, on_lambda: bool, monkeypatch: pytest.MonkeyPatch) -> str:
    if on_lambda:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "job")
    stream = io.StringIO()
    log.configure(verbose=True, stream=stream)
    log.LOGGER.error("it broke", extra=log.about(request_id="r-1", rows=3))
    return stream.getvalue().strip()


def test_on_lambda_a_line_is_json_with_each_field_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = json.loads(line(on_lambda=True, monkeypatch=monkeypatch))
    assert (found["message"], found["level"]) == ("it broke", "ERROR")
    assert (found["request_id"], found["rows"]) == ("r-1", 3)
    assert "fields" not in found


def test_for_people_the_fields_follow_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    assert line(on_lambda=False, monkeypatch=monkeypatch).endswith(
        " ERROR it broke request_id=r-1 rows=3"
    )
