"""A folder follows an S3 prefix: against an emulated S3 over HTTP, and one that misbehaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
import requests

from chalicelib.errors import SourceError
from chalicelib.extract.s3_folder import sync
from dev.background import served


@pytest.fixture
def put(bucket):
    client = boto3.client("s3")

    def put(key, body="x\n1\n"):
        client.put_object(Bucket=bucket, Key=key, Body=body)

    return put


@pytest.fixture
def delete(bucket):
    return lambda key: boto3.client("s3").delete_object(Bucket=bucket, Key=key)


@pytest.fixture
def url(bucket):
    return f"s3://{bucket}/orders/"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "in"


def files(folder):
    """What a reader finds: hidden files are the sync's own."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def counts(result):
    return result.downloaded, result.unchanged, result.removed


def test_objects_arrive_under_their_names_sorted_by_key(put, url, bucket, folder):
    put("orders/b.csv", "bb")
    put("orders/2026/a ü+%41.csv", "a")
    put("orders-of-others/c.csv")
    put("orders/2026/")
    result = sync(url, folder)
    assert files(folder) == {"b.csv": "bb", "2026/a ü+%41.csv": "a"}
    assert [remote.name for remote in result.objects] == ["2026/a ü+%41.csv", "b.csv"]
    assert result.objects[1].uri == f"s3://{bucket}/orders/b.csv"
    assert result.objects[1].size == 2
    assert '"' not in result.objects[1].etag
    assert counts(result) == (2, 0, 0)


def test_a_prefix_is_a_folder_with_or_without_a_slash(put, url, folder):
    put("orders/a.csv", "1")
    put("orders2/b.csv")
    sync(url.removesuffix("/"), folder)
    assert files(folder) == {"a.csv": "1"}


def test_a_whole_bucket_can_be_synced(put, bucket, folder):
    put("a.csv", "1")
    sync(f"s3://{bucket}", folder)
    assert files(folder) == {"a.csv": "1"}


def test_a_prefix_without_objects_is_an_empty_folder(url, folder):
    assert sync(url, folder).objects == ()
    assert files(folder) == {}


def test_only_changed_objects_are_fetched_again(put, url, folder):
    for number in range(30):
        put(f"orders/{number}.csv", str(number))
    assert counts(sync(url, folder)) == (30, 0, 0)
    put("orders/7.csv", "seven")
    written = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.csv")}
    assert counts(sync(url, folder)) == (1, 29, 0)
    assert files(folder)["7.csv"] == "seven"
    rewritten = {path.name for path in folder.glob("*.csv")
                 if path.stat().st_mtime_ns != written[path.name]}  # fmt: skip
    assert rewritten == {"7.csv"}


def test_what_is_deleted_in_s3_goes_and_the_users_own_files_stay(put, delete, url, folder):
    put("orders/2025/old.csv")
    put("orders/new.csv")
    sync(url, folder)
    (folder / "mine.csv").write_text("mine")
    delete("orders/2025/old.csv")
    assert counts(sync(url, folder)) == (0, 1, 1)
    assert files(folder) == {"new.csv": "x\n1\n", "mine.csv": "mine"}
    assert not (folder / "2025").exists()


def test_a_file_changed_or_deleted_by_hand_is_fetched_again(put, url, folder):
    put("orders/changed.csv", "right")
    put("orders/deleted.csv", "right")
    sync(url, folder)
    (folder / "changed.csv").write_text("wrong")
    (folder / "deleted.csv").unlink()
    assert counts(sync(url, folder)) == (2, 0, 0)
    assert set(files(folder).values()) == {"right"}


def test_skipped_objects_are_listed_and_not_downloaded(put, url, folder):
    put("orders/loaded.csv")
    put("orders/new.csv")
    result = sync(url, folder, skip=lambda remote: remote.name == "loaded.csv")
    assert [remote.name for remote in result.skipped] == ["loaded.csv"]
    assert len(result.objects) == 2
    assert list(files(folder)) == ["new.csv"]
    assert counts(result) == (1, 0, 0)


def test_a_skipped_object_keeps_its_current_copy_but_no_older_one(put, url, folder):
    put("orders/a.csv", "one")
    sync(url, folder)
    assert sync(url, folder, skip=lambda _: True).removed == 0
    assert files(folder) == {"a.csv": "one"}
    put("orders/a.csv", "two")
    assert sync(url, folder, skip=lambda _: True).removed == 1
    assert files(folder) == {}


def test_another_prefix_replaces_what_the_first_one_brought(put, url, bucket, folder):
    put("orders/a.csv", "same")
    put("orders/b.csv")
    put("other/a.csv", "same")
    sync(url, folder)
    assert counts(sync(f"s3://{bucket}/other/", folder)) == (1, 0, 1)
    assert files(folder) == {"a.csv": "same"}


def test_an_unreadable_manifest_only_costs_a_download(put, url, folder):
    put("orders/a.csv", "1")
    sync(url, folder)
    for text in ("{", "[]", '{"a.csv": 1}', '{"a.csv": {"size": 1}}'):
        (folder / ".elt-sync.json").write_text(text)
        assert counts(sync(url, folder)) == (1, 0, 0)


def test_a_manifest_cannot_make_the_sync_remove_what_lies_outside(put, url, folder, tmp_path):
    put("orders/a.csv")
    sync(url, folder)
    (tmp_path / "outside.csv").write_text("mine")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "b.csv").write_text("mine")
    (folder / "link").symlink_to(tmp_path / "linked")
    manifest = folder / ".elt-sync.json"
    copy = next(iter(json.loads(manifest.read_text()).values()))
    names = ["../outside.csv", str(tmp_path / "outside.csv"), "link/b.csv"]
    manifest.write_text(json.dumps(dict.fromkeys(names, copy)))
    sync(url, folder)
    assert (tmp_path / "outside.csv").exists()
    assert (tmp_path / "linked" / "b.csv").exists()


@pytest.mark.parametrize(
    "key",
    [
        "../evil.csv",
        "a/../../evil.csv",
        "a/./b.csv",
        "/etc/evil.csv",
        "a//b.csv",
        "a\\..\\b.csv",
        "a\tb.csv",
        "a\x7fb.csv",
        ".elt-sync.json",
        "n" * 256 + ".csv",
    ],
)
def test_a_key_without_a_safe_place_stops_the_sync_before_anything_is_written(
    key, put, url, folder, tmp_path
):
    put("orders/good.csv")
    put("orders/" + key)
    with pytest.raises(SourceError) as raised:
        sync(url, folder)
    assert repr("orders/" + key) in str(raised.value)
    assert raised.value.where == url
    assert list(tmp_path.rglob("*")) == [folder]


def test_a_link_that_leads_out_of_the_folder_is_not_followed(put, url, folder, tmp_path):
    (tmp_path / "outside").mkdir()
    folder.mkdir()
    (folder / "sub").symlink_to(tmp_path / "outside")
    put("orders/sub/deep/a.csv")
    with pytest.raises(SourceError, match=r"'orders/sub/deep/a.csv' leads out of the folder"):
        sync(url, folder)
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_file_that_is_a_link_is_replaced_not_written_through(put, url, folder, tmp_path):
    (tmp_path / "precious").write_text("precious")
    folder.mkdir()
    (folder / "a.csv").symlink_to(tmp_path / "precious")
    put("orders/a.csv", "new")
    sync(url, folder)
    assert (tmp_path / "precious").read_text() == "precious"
    assert (folder / "a.csv").read_text() == "new"


def test_two_keys_that_cannot_both_be_files_are_refused(put, url, folder):
    put("orders/a")
    put("orders/a/b")
    with pytest.raises(SourceError, match="'orders/a/b' needs a folder where 'orders/a' needs"):
        sync(url, folder)


def test_a_file_may_become_a_folder_and_a_folder_a_file(put, delete, url, folder):
    put("orders/a", "1")
    sync(url, folder)
    delete("orders/a")
    put("orders/a/b", "2")
    sync(url, folder)
    assert files(folder) == {"a/b": "2"}
    delete("orders/a/b")
    put("orders/a", "3")
    sync(url, folder)
    assert files(folder) == {"a": "3"}


def test_a_folder_of_the_user_in_the_way_is_an_error(put, url, folder):
    (folder / "a.csv" / "mine").mkdir(parents=True)
    put("orders/a.csv")
    with pytest.raises(SourceError, match="cannot be written"):
        sync(url, folder)


def test_an_object_replaced_after_the_listing_is_read_in_its_new_version(put, url, folder):
    put("orders/a.csv", "old")
    put("orders/b.csv", "b")
    replacements = ["new and longer"]

    def replace_it(remote):
        if remote.name == "a.csv" and replacements:
            put("orders/a.csv", replacements.pop())
        return False

    result = sync(url, folder, skip=replace_it)
    assert files(folder) == {"a.csv": "new and longer", "b.csv": "b"}
    assert result.objects[0].size == len("new and longer")
    assert counts(result) == (2, 0, 0)


def test_an_object_deleted_after_the_listing_is_gone(put, delete, url, folder):
    put("orders/a.csv")
    put("orders/b.csv")

    def delete_it(_):
        delete("orders/a.csv")
        return False

    assert [remote.name for remote in sync(url, folder, skip=delete_it).objects] == ["b.csv"]
    assert list(files(folder)) == ["b.csv"]


def test_an_object_that_never_stays_the_same_is_given_up_and_nothing_half_read(put, url, folder):
    put("orders/a.csv", "0")
    versions = iter("123456789")

    def replace_it(_):
        put("orders/a.csv", next(versions))
        return False

    with pytest.raises(SourceError, match=r"'orders/a\.csv' could not be read whole in 3"):
        sync(url, folder, skip=replace_it)
    assert files(folder) == {}
    assert next(versions) == "4"


def test_no_such_bucket(aws, folder):
    with pytest.raises(SourceError, match=r"s3://no-such-bucket/x: there is no such bucket"):
        sync("s3://no-such-bucket/x", folder)


def test_a_name_that_no_bucket_can_have(aws, folder):
    with pytest.raises(SourceError, match=r"s3://a b/x: S3 cannot be asked"):
        sync("s3://a b/x", folder)


@pytest.fixture
def guarded_aws(aws):
    """From here on only known users with rights are let in."""
    iam = boto3.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    guard = f"{aws}/moto-api/reset-auth"
    requests.post(guard, data="0", timeout=5).raise_for_status()
    yield key
    requests.post(guard, data="inf", timeout=5).raise_for_status()


def test_access_denied(bucket, guarded_aws, folder, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", guarded_aws["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", guarded_aws["SecretAccessKey"])
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with pytest.raises(SourceError, match=r"access is denied\. Allow s3:ListBucket"):
        sync(f"s3://{bucket}/x", folder)


def test_an_unknown_access_key(bucket, guarded_aws, folder, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with pytest.raises(SourceError, match="access key does not exist"):
        sync(f"s3://{bucket}/x", folder)


def test_no_credentials(aws, folder, monkeypatch, tmp_path):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with pytest.raises(SourceError, match="no AWS credentials were found"):
        sync("s3://some-bucket/x", folder)


def test_nobody_answers_at_the_endpoint(aws, folder, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(SourceError, match="S3 cannot be reached"):
        sync("s3://some-bucket/x", folder)


def test_an_endpoint_that_is_no_address(aws, folder, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "not an address")
    with pytest.raises(SourceError, match="AWS_ENDPOINT_URL: "):
        sync("s3://some-bucket/x", folder)


@contextmanager
def half_s3(stall):
    """An S3 that sends half of its one object and then hangs up, or stalls."""
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            if "list-type" in self.path:
                listing = (
                    "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a.csv</Key>"
                    "<ETag>&quot;e&quot;</ETag><Size>2000000</Size></Contents></ListBucketResult>"
                )
                self.send(listing.encode(), len(listing))
            else:
                self.send(b"x" * 1_500_000, 2_000_000)
                if stall:
                    released.wait(30)
                self.close_connection = True

        def send(self, body, length):
            self.send_response(200)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, *_):
            pass

    with served(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as url:
        try:
            yield url
        finally:
            released.set()


def test_a_body_that_breaks_off_is_read_again_and_never_kept(aws, folder, monkeypatch):
    with half_s3(stall=False) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        with pytest.raises(SourceError, match=r"'a\.csv' could not be read whole"):
            sync("s3://some-bucket/", folder)
    assert [path.name for path in folder.iterdir()] == [".elt-sync.json"]


def test_a_sync_that_is_killed_leaves_nothing_that_is_read(aws, folder, monkeypatch):
    code = (
        "import sys, pathlib; from chalicelib.extract.s3_folder import sync;"
        "sync('s3://some-bucket/', pathlib.Path(sys.argv[1]))"
    )
    with half_s3(stall=True) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        child = subprocess.Popen([sys.executable, "-c", code, str(folder)])
        deadline = time.monotonic() + 20
        while not any(part.stat().st_size for part in folder.glob(".elt-*.part")):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        child.wait(10)
    assert files(folder) == {}
    assert list(json.loads((folder / ".elt-sync.json").read_text())) == ["a.csv"]


def test_leftovers_are_swept_once_they_are_old(url, folder):
    folder.mkdir()
    old, young = folder / ".elt-old.part", folder / ".elt-young.part"
    for part in (old, young):
        part.write_text("half")
    os.utime(old, (0, 0))
    sync(url, folder)
    assert not old.exists()
    assert young.exists()
