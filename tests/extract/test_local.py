"""Files from S3 through the folder into the table: what is downloaded, read and remembered."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from chalicelib.errors import SourceError
from tests.pipelines import Pipeline


@pytest.fixture
def shop(tmp_path: Path, database: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    monkeypatch.setenv("ELT_TARGET_URL", database)
    pipeline = Pipeline(tmp_path, database)
    pipeline.source |= {"s3": f"s3://{bucket}/orders/", "pattern": "*.csv"}
    return pipeline


@pytest.fixture
def put(bucket: str) -> object:
    def put_object(key: str, text: str) -> None:
        boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())

    return put_object


def test_objects_below_the_prefix_are_loaded_and_known_by_their_etag(
    shop: Pipeline, put, bucket: str
) -> None:
    put("orders/2026/a.csv", "id,name\n1,Ada\n")
    put("other/b.csv", "id,name\n2,Alan\n")
    result = shop.run()
    assert shop.rows == [(1, "Ada")]
    assert list(result.sources[0].files) == ["2026/a.csv"]
    ((uri, etag, size),) = shop.query("select uri, etag, size from elt.files")
    assert uri == f"s3://{bucket}/orders/2026/a.csv"
    assert (bool(etag), size) == (True, 14)


def test_what_is_loaded_is_not_downloaded_again(shop: Pipeline, put) -> None:
    """On Lambda the folder is empty at each start."""
    put("orders/a.csv", "id,name\n1,Ada\n")
    shop.run()
    (shop.folder / "data" / "a.csv").unlink()
    put("orders/b.csv", "id,name\n2,Alan\n")
    result = shop.run()
    assert shop.rows == [(1, "Ada"), (2, "Alan")]
    assert not (shop.folder / "data" / "a.csv").exists()
    assert result.sources[0].files["a.csv"].detail == "loaded before, not downloaded again"


def test_objects_outside_the_pattern_are_not_downloaded(shop: Pipeline, put) -> None:
    put("orders/a.csv", "id,name\n1,Ada\n")
    put("orders/big.parquet", "no")
    shop.run()
    assert not (shop.folder / "data" / "big.parquet").exists()


def test_files_of_other_kinds_are_skipped_and_reported(shop: Pipeline, put) -> None:
    shop.source["pattern"] = "*"
    put("orders/a.csv", "id,name\n1,Ada\n")
    put("orders/read.me", "hello")
    files = shop.run().sources[0].files
    assert files["read.me"].outcome == "skipped"
    assert "not a .csv, .json or .txt file" in files["read.me"].detail


def test_what_was_taken_for_a_footer_is_a_warning_of_the_run(shop: Pipeline, put) -> None:
    put("orders/a.csv", "id,name\n1,Ada\n2,Alan\nTotal: 2\n")
    result = shop.run()
    footer = "taken for a footer, not for rows: line 4: 'Total: 2'"
    assert f"a.csv: {footer}" in result.warnings


def test_a_bucket_that_is_not_there_is_named(shop: Pipeline) -> None:
    shop.source["s3"] = "s3://no-such-bucket/orders/"
    with pytest.raises(SourceError, match="s3://no-such-bucket/orders/"):
        shop.run()


def test_an_object_whose_content_comes_back_is_downloaded_again_where_rows_are_superseded(
    shop: Pipeline, put
) -> None:
    shop.target |= {"mode": "merge", "primary_key": "id"}
    old, corrected = "id,name\n1,Ada\n", "id,name\n1,Ada L\n"
    for content in (old, corrected, old):
        put("orders/a.csv", content)
        assert shop.run().read == 1
    assert shop.rows == [(1, "Ada")]
    assert shop.run().read == 0
