"""An S3 prefix as a folder: what changed is downloaded, what is gone is removed, no more."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.disk import refuse_too_much
from chalicelib.errors import SourceError
from chalicelib.extract.s3_errors import may_be_read_again, translated
from chalicelib.extract.s3_manifest import Copy, Manifest
from chalicelib.extract.s3_names import check_names, leads_out, reserved

DOWNLOADS_AT_ONCE = 8
PASSES = 3
"""A pass lists and downloads; more than one is needed when objects change meanwhile."""

ABANDONED = 24 * 3600
"""Seconds after which a temporary file belongs to no sync that is still running."""


@dataclass(frozen=True)
class RemoteObject:
    """One object below the prefix; `name` is its path in the folder."""

    bucket: str
    key: str
    name: str
    etag: str
    size: int

    @property
    def uri(self) -> str:
        """`s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class SyncResult:
    """All objects below the prefix sorted by key, those skipped among them, and what was done.

    An object that was not skipped is in the folder under its name.
    """

    objects: tuple[RemoteObject, ...]
    skipped: tuple[RemoteObject, ...] = ()
    downloaded: int = 0
    unchanged: int = 0
    removed: int = 0


Skip = Callable[[RemoteObject], bool]


def _keep_all(_: RemoteObject) -> bool:
    return False


def sync(url: str, folder: Path, *, skip: Skip = _keep_all) -> SyncResult:
    """Make `folder` hold the objects below `url` (s3://bucket/prefix), changed ones only.

    Under the names it finds in S3, S3 is right: a local file of that name is overwritten. Other
    files are left alone unless an earlier sync put them there. An object for which `skip` is true
    is not downloaded; a copy of it stays while it is current. Raises SourceError naming the key
    when it has no safe place in the folder (nothing is written then) or keeps changing while it
    is read, and naming the URL when S3 cannot be reached or refuses.
    """
    with translated(url):
        folder.mkdir(parents=True, exist_ok=True)
        return _Sync(_client(), url, folder).run(skip)


def listed(url: str, folder: Path) -> list[RemoteObject]:
    """The objects below `url`, sorted by key, as `sync` would find them for the folder."""
    with translated(url):
        return _Sync(_client(), url, folder).listed()


class _Sync:
    def __init__(self, client: Any, url: str, folder: Path) -> None:
        self._client = client
        self._url = url
        self._bucket, _, prefix = url.removeprefix("s3://").partition("/")
        self._prefix = prefix if prefix.endswith("/") or not prefix else prefix + "/"
        self._folder = folder
        self._manifest = Manifest(folder)

    def run(self, skip: Skip) -> SyncResult:
        self._sweep()
        removed, fresh, unread = 0, set[str](), list[str]()
        for _ in range(PASSES):
            objects = self.listed()
            skipped = dict.fromkeys(filter(skip, objects))  # a set in order
            removed += self._remove_what_is_gone(objects, skipped)
            changed = [o for o in objects if o not in skipped and not self._is_current(o)]
            unread = self._download(changed)
            fresh |= {remote.name for remote in changed}
            if not unread:
                downloaded = len(fresh & {remote.name for remote in objects})
                unchanged = len(objects) - len(skipped) - downloaded
                return SyncResult(tuple(objects), tuple(skipped), downloaded, unchanged, removed)
        raise SourceError(
            f"the object {unread[0]!r} could not be read whole in {PASSES} attempts: it changed "
            "or the connection broke each time",
            where=self._url,
            fix="Run again when nobody writes there any more.",
        )

    # what there is

    def listed(self) -> list[RemoteObject]:
        """All objects below the prefix that have a safe place in the folder."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix
        )
        found = (entry for page in pages for entry in page.get("Contents", ()))
        remotes = [self._remote(entry) for entry in found if not entry["Key"].endswith("/")]
        check_names({remote.name: remote.key for remote in remotes}, self._folder, self._url)
        return sorted(remotes, key=lambda remote: remote.key)

    def _remote(self, entry: Any) -> RemoteObject:
        key = entry["Key"]
        name = key.removeprefix(self._prefix)
        return RemoteObject(self._bucket, key, name, entry["ETag"].strip('"'), entry["Size"])

    def _is_current(self, remote: RemoteObject) -> bool:
        copy = self._manifest.files.get(remote.name)
        return (
            copy is not None
            and (copy.uri, copy.etag, copy.size) == (remote.uri, remote.etag, remote.size)
            and copy.is_untouched(self._folder / remote.name)
        )

    # removing

    def _remove_what_is_gone(
        self, objects: Collection[RemoteObject], skipped: Collection[RemoteObject]
    ) -> int:
        """Also a copy of an older content of a skipped object: it would be read as the object."""
        kept = {remote.name for remote in objects}
        kept -= {remote.name for remote in skipped if not self._is_current(remote)}
        gone = self._manifest.files.keys() - kept
        count = sum(self._remove(name) for name in sorted(gone))
        self._manifest.forget(gone)
        return count

    def _remove(self, name: str) -> bool:
        path = self._folder / name
        if leads_out(name, self._folder) or not (path.is_file() or path.is_symlink()):
            return False
        path.unlink(missing_ok=True)
        with suppress(OSError):  # not empty
            for parent in path.relative_to(self._folder).parents:
                if parent.name:
                    (self._folder / parent).rmdir()
        return True

    def _sweep(self) -> None:
        """Remove what a sync that was killed has left."""
        for path in self._folder.rglob(reserved("*")):
            with suppress(FileNotFoundError):
                if path.lstat().st_mtime < time.time() - ABANDONED:
                    path.unlink()

    # downloading

    def _download(self, remotes: Collection[RemoteObject]) -> list[str]:
        """The keys that could not be read whole."""
        refuse_too_much("the new objects", self._folder, sum(remote.size for remote in remotes))
        self._manifest.announce({o.name: Copy(o.uri, o.etag, o.size) for o in remotes})
        try:
            with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
                done = list(pool.map(self._fetch, remotes))
        finally:
            self._manifest.save()
        return [remote.key for remote, whole in zip(remotes, done, strict=True) if not whole]

    def _fetch(self, remote: RemoteObject) -> bool:
        """Whether the object was read whole, as it was listed; only then its file is replaced."""
        path = self._folder / remote.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with _temporary(path.parent) as part:
            try:
                self._copy(remote, part)
            except Exception as error:
                if may_be_read_again(error):
                    return False
                raise
            mtime = part.stat().st_mtime_ns
            part.replace(path)
        self._manifest.files[remote.name] = Copy(remote.uri, remote.etag, remote.size, mtime)
        return True

    def _copy(self, remote: RemoteObject, path: Path) -> None:
        answer = self._client.get_object(
            Bucket=self._bucket, Key=remote.key, IfMatch=f'"{remote.etag}"'
        )
        with path.open("wb") as file:
            shutil.copyfileobj(answer["Body"], file, 1 << 20)


@contextmanager
def _temporary(folder: Path) -> Iterator[Path]:
    """A hidden file in the folder, gone at the end unless it was moved to its place."""
    handle, name = tempfile.mkstemp(prefix=reserved(""), suffix=".part", dir=folder)
    os.close(handle)
    path = Path(name)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _client() -> Any:
    import boto3
    from botocore.config import Config

    config = Config(
        retries={"mode": "standard", "max_attempts": 3},
        connect_timeout=10,
        max_pool_connections=DOWNLOADS_AT_ONCE,
    )
    try:
        return boto3.client("s3", config=config)
    except ValueError as error:
        raise SourceError(
            str(error), where="AWS_ENDPOINT_URL", fix="Write it as http://host:port."
        ) from error
