"""A look at the sources of a configuration: nothing is loaded, and little is read."""

from __future__ import annotations

import time
from pathlib import Path

import boto3
import pytest

from chalicelib.config import Config
from chalicelib.errors import EltError
from chalicelib.preview import ROWS, SourcePreview, preview
from dev.sample_api import sample_api
from tests.pipelines import DECLARED, Pipeline


@pytest.fixture
def shop(tmp_path: Path) -> Pipeline:
    return Pipeline(tmp_path, "postgresql://nobody@/none?host=/nowhere")


def look(shop: Pipeline, seconds: float = 20) -> SourcePreview:
    (seen,) = preview(shop.config, shop.folder, seconds)
    return seen


def test_rows_are_shown_as_extracted_with_what_is_wrong_with_them(shop: Pipeline) -> None:
    shop.write("a.csv", "id;name;note\n007;Ada;x\nzwei;Alan;y\n")
    seen = look(shop)
    assert seen.columns == {"id": "bigint", "name": "text"}
    assert seen.ignored == ["note"]
    assert seen.files["a.csv"]["delimiter"] == "semicolon"
    assert [(row.line, str(*row.problems) if row.problems else "") for row in seen.rows] == [
        (2, ""),
        (3, "id: 'zwei' is not a whole number of 64 bits"),
    ]
    assert seen.rows[0].values == {"id": "007", "name": "Ada", "note": "x"}
    assert seen.complete


def test_without_a_schema_types_are_inferred(shop: Pipeline) -> None:
    shop.schema = None
    shop.write("a.csv", "id,plz,at\n1,01067,2026-01-31\n")
    assert look(shop).columns == {"id": "bigint", "plz": "text", "at": "date"}


def test_a_hundred_rows_are_enough(shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\n" + "1,x\n" * 150)
    seen = look(shop)
    assert (len(seen.rows), seen.complete) == (ROWS, False)


def test_a_source_that_cannot_be_read_says_why_and_hides_no_other(shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n")
    shop.source["name"] = "files"
    shop.more_sources = [{"name": "gone", "type": "local", "path": "nowhere"}]
    files, gone = preview(shop.config, shop.folder)
    assert len(files.rows) == 1
    assert str(gone.error).startswith("source gone: nowhere is not a folder")


def test_of_a_bucket_few_files_are_fetched_and_none_into_the_folder_of_runs(
    shop: Pipeline, bucket: str
) -> None:
    s3 = boto3.client("s3")
    for number in range(9):
        s3.put_object(Bucket=bucket, Key=f"in/{number}.csv", Body=f"id,name\n{number},Ada\n")
    shop.source["s3"] = f"s3://{bucket}/in/"
    seen = look(shop)
    assert list(seen.files) == ["0.csv", "1.csv", "2.csv"]
    assert list((shop.folder / "data").iterdir()) == []


def test_an_api_is_asked_for_no_more_pages_than_it_takes(shop: Pipeline) -> None:
    records = [{"id": n, "name": "x"} for n in range(1, 1_000)]
    for record in records:
        record["updated_at"] = "2026-01-01T00:00:00Z"
    shop.schema = {**DECLARED, "strict_mode": False}
    with sample_api("token", records) as url:
        shop.source = {
            "type": "api",
            "url": f"{url}/v1/orders",
            "auth": {"type": "bearer", "token": "token"},
            "records": "$.data",
            "pagination": {"type": "page", "size_param": "per_page", "size": 60},
        }
        seen = look(shop)
    assert (len(seen.rows), seen.rows[-1].values["id"]) == (100, "100")
    assert seen.columns["updated_at"] == "timestamp with time zone"


def test_a_source_that_is_slow_is_given_up(shop: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.preview._seen", lambda *_: time.sleep(5))
    started = time.monotonic()
    seen = look(shop, seconds=0.1)
    assert time.monotonic() - started < 4
    assert "nothing came within 0 seconds" in str(seen.error)


def test_a_bug_is_told_as_one(shop: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Config, *__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("chalicelib.preview.open_sources", broken)
    assert isinstance(look(shop).error, EltError)
