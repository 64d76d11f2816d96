"""What no configuration may read: it would show it to whoever wrote the configuration."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from chalicelib import secrets
from chalicelib.errors import SourceError
from chalicelib.extract import open_sources
from tests.pipelines import Pipeline


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    monkeypatch.setenv("ELT_STATE_DIR", str(tmp_path / "data" / "state"))
    pipeline = Pipeline(tmp_path, "postgresql://nobody@/none?host=/nowhere")
    secrets.user_store().put("canary", "c4nary")
    return pipeline


def planned(shop: Pipeline) -> list[str]:
    (source,) = open_sources(shop.config, shop.folder)
    source.plan()
    return [batch.origin for batch in source.batches()]


@pytest.mark.parametrize("path", ["data/state/secrets", "data/../data/state/secrets", "link"])
@pytest.mark.parametrize("more", [{}, {"s3": "s3://bucket/prefix"}])
def test_the_folder_of_the_secrets_is_no_source(
    shop: Pipeline, path: str, more: dict[str, str]
) -> None:
    (shop.folder / "link").symlink_to(shop.folder / "data" / "state" / "secrets")
    shop.source |= {"path": path, **more}
    with pytest.raises(SourceError, match=f"source local: {path} leads to where secrets are kept"):
        planned(shop)


@pytest.mark.parametrize("path", ["/proc/self", "/sys", "/dev"])
def test_the_systems_folders_are_no_source(shop: Pipeline, path: str) -> None:
    shop.source["path"] = path
    with pytest.raises(SourceError, match="to the system's folders"):
        planned(shop)


def test_below_a_source_the_secrets_are_not_there_nor_what_links_to_them(shop: Pipeline) -> None:
    store = shop.folder / "data" / "state" / "secrets"
    (shop.folder / "data" / "folder").symlink_to(store)
    (shop.folder / "data" / "file.json").symlink_to(store / "user.json")
    (shop.folder / "data" / "system").symlink_to("/proc")
    (shop.folder / "elsewhere.csv").write_text("id,name\n2,Alan\n")
    (shop.folder / "data" / "linked.csv").symlink_to(shop.folder / "elsewhere.csv")
    shop.write("a.csv", "id,name\n1,Ada\n")
    assert planned(shop) == ["a.csv", "linked.csv"]


def test_no_object_takes_the_place_of_the_secrets(shop: Pipeline, bucket: str) -> None:
    key = "orders/state/secrets/user.json"
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=b"{}")
    shop.source["s3"] = f"s3://{bucket}/orders/"
    with pytest.raises(SourceError, match="leads to where secrets are kept"):
        planned(shop)
    assert secrets.user_store().get("canary") == "c4nary"
