"""Objects change, vanish or are refused while they are read; files that are bombs are refused."""

from __future__ import annotations

import gzip
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
import requests

from chalicelib import jobs
from chalicelib.disk import DiskError
from chalicelib.jobs.deadline import MARGIN
from dev.background import served
from tests.faults.harness import run, work

SLOW_DOWN = (
    b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)


class FrontOfS3:
    """While `refusing`, the first request of each path is answered 503 SlowDown; `before_object`
    is called once, when the first object is asked for."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.refusing = False
        self.before_object = None

    def answers(self, path: str) -> bool:
        """Whether this request goes through."""
        if "list-type" not in path and self.before_object:
            act, self.before_object = self.before_object, None
            act()
        if self.refusing and path not in self.refused:
            self.refused.add(path)
            return False
        return True


@contextmanager
def in_front_of(endpoint: str) -> Iterator[tuple[FrontOfS3, str]]:
    front = FrontOfS3()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if not front.answers(self.path):
                return self.answer(503, {}, SLOW_DOWN)
            found = requests.get(endpoint + self.path, headers=dict(self.headers), timeout=20)
            kept = {name: found.headers[name] for name in ("ETag",) if name in found.headers}
            return self.answer(found.status_code, kept, found.content)

        def answer(self, status, headers, body):
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with served(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as url:
        yield front, url


@pytest.fixture
def s3(aws, bucket, shop, monkeypatch):
    """What stands before the S3 that holds five files of the shop."""
    direct = boto3.client("s3")
    for number in range(5):
        shop.deliver("moved.csv", 1_000)
        direct.put_object(Bucket=bucket, Key=f"{number}.csv", Body=moved(shop))
    shop.source = {"type": "local", "path": "in", "s3": f"s3://{bucket}/"}
    with in_front_of(aws) as (front, url):
        front.bucket, front.direct = bucket, direct
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        yield front


def moved(shop) -> bytes:
    path = shop.folder / "data" / "moved.csv"
    content = path.read_bytes()
    path.unlink()
    return content


def test_an_s3_that_wants_it_slower_is_asked_again(shop, s3, proof):
    s3.refusing = True
    shop.run()
    proof("S3 answers 503 SlowDown", "succeeded", len(s3.refused))


def test_an_object_replaced_before_it_is_read_is_read_in_its_new_content(shop, s3, proof):
    shop.deliver("moved.csv", 1_000)
    replaced = moved(shop)
    s3.before_object = lambda: s3.direct.put_object(Bucket=s3.bucket, Key="4.csv", Body=replaced)
    shop.run()
    shop.read -= 1_000
    proof("S3 object replaced in mid-read", "succeeded")


def test_an_object_deleted_before_it_is_read_is_no_part_of_the_run(shop, s3, proof):
    s3.before_object = lambda: s3.direct.delete_object(Bucket=s3.bucket, Key="4.csv")
    shop.run()
    shop.read -= 1_000
    proof("S3 object deleted in mid-read", "succeeded")


def test_objects_that_have_no_room_are_not_even_begun(shop, s3, small_disk):
    s3.direct.put_object(Bucket=s3.bucket, Key="large.csv", Body=bytes(2 << 20))
    shop.source["path"] = str(small_disk)
    with pytest.raises(DiskError, match=r"new objects: they have 2,1.*1,0.* are free"):
        shop.run()
    assert list(small_disk.glob("[!.]*")) == []


def test_an_s3_that_says_nothing_ends_the_run_in_time(shop, s3, service, proof, aws, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        history = service()
        queued = history.trigger()
        work(queued, MARGIN + 2).ended()
        assert history.run(queued).error.code == "out_of_time"
    proof("out of time while files are fetched", history.state(queued), rows=0, rejects=0)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    jobs.resume(history.engine, queued, "ann")
    work(queued, MARGIN + 60).ended()
    proof("… and resumed", history.state(queued), 0)


def test_what_is_no_file_is_skipped_and_not_waited_for(shop, proof):
    shop.deliver("good.csv", 1_000)
    os.mkfifo(shop.folder / "data" / "pipe.csv")
    (shop.folder / "data" / "endless.csv").symlink_to("/dev/zero")
    files = shop.run().sources[0].files
    assert files["pipe.csv"].detail == "a pipe or a device, not a file"
    assert files["endless.csv"].detail == "a link to where no source may read"
    proof("a pipe and a device among the files", "succeeded", 2)


BOMBS = {
    "quote.csv": lambda: b'id,name\n1,"' + b"a" * (20 << 20),
    "line.csv": lambda: b"a" * (20 << 20),
    "gzip.csv": lambda: gzip.compress(b'id,name\n1,"' + bytes(100 << 20)),
    "deep.json": lambda: b"[" * 1_000_000,
    "deeper.json": lambda: b'[{"id":' + b'{"a":' * 200_000,
    "number.json": lambda: b'[{"id": ' + b"9" * (20 << 20) + b"}]",
    "text.json": lambda: b'[{"id": 1, "name": "' + b"x" * (20 << 20) + b'"}]',
    "keys.json": lambda: json.dumps([{f"k{n}": n for n in range(20_000)}]).encode(),
}


def test_files_that_are_bombs_are_refused_one_by_one_and_the_others_loaded(shop, proof):
    shop.deliver("good.csv", 1_000)
    for name, content in BOMBS.items():
        shop.write(name, content())
    shop.source["on_file_error"] = "skip"
    answer = json.loads(run(shop.saved()).ended().answer)
    outcomes = {name: file["outcome"] for name, file in answer["sources"][0]["files"].items()}
    assert outcomes == {"good.csv": "read"} | dict.fromkeys(BOMBS, "failed")
    proof("bombs among the files", "succeeded", len(BOMBS))
