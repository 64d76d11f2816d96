"""Each upload is the next version, and none is ever lost or changed."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from chalicelib.errors import NotFound, UsageError
from chalicelib.history import configs
from dev.bench.history import add_versions


def test_a_version_is_kept_as_it_was_uploaded(engine):
    added = configs.add(engine, "target:\r\n  table: ünder%s {elt} :x\n", "ann", "first")
    assert (added.version, added.author, added.comment) == (1, "ann", "first")
    assert added.sha256 == hashlib.sha256(added.yaml.encode()).hexdigest()
    assert added.created_at.utcoffset().total_seconds() == 0
    assert configs.get(engine, 1) == configs.latest(engine) == added


def test_before_the_first_upload_there_is_none(engine):
    assert configs.latest(engine) is None
    assert configs.page(engine, None, 10) == []


def test_fifty_uploads_at_once_are_numbered_without_gaps_or_doubles(engine):
    with ThreadPoolExecutor(50) as pool:
        added = list(pool.map(lambda n: configs.add(engine, f"n: {n}", "ann"), range(50)))
    assert sorted(version.version for version in added) == list(range(1, 51))
    assert {version.yaml for version in added} == {f"n: {n}" for n in range(50)}
    times = [version.created_at for version in sorted(added, key=lambda v: v.version)]
    assert times == sorted(times)


def test_an_upload_whose_commit_was_not_acknowledged_is_not_stored_twice(engine, lost_commit):
    lost_commit()
    assert configs.add(engine, "a: 1", "ann").version == 1
    assert len(configs.page(engine, None, 10)) == 1


def test_the_same_text_again_is_a_version_of_its_own(engine):
    first, second = configs.add(engine, "a: 1", "ann"), configs.add(engine, "a: 1", "bob")
    assert (second.version, second.sha256) == (2, first.sha256)


@pytest.mark.parametrize("version", [0, -1, 2, 2**31, -(10**30), 10**30])
def test_a_version_that_is_not_there_is_not_found(engine, version):
    configs.add(engine, "a: 1", "ann")
    with pytest.raises(NotFound, match=f"no version {version} "):
        configs.get(engine, version)


def test_pages_go_from_the_newest_to_the_first_without_the_text(engine):
    for n in range(5):
        configs.add(engine, f"n: {n}", "ann", f"comment {n}")
    newest = configs.page(engine, None, 2)
    assert [(v.version, v.comment) for v in newest] == [(5, "comment 4"), (4, "comment 3")]
    assert [v.version for v in configs.page(engine, newest[-1].version, 10)] == [3, 2, 1]
    assert configs.page(engine, 1, 10) == []
    assert len(configs.page(engine, 10**30, 10)) == 5
    assert not hasattr(newest[0], "yaml")


@pytest.mark.parametrize("before", [None, 5_000])
def test_a_page_of_10000_versions_is_read_from_the_index_alone(engine, plans, before):
    add_versions(engine, 10_000, "x" * 1000)
    found = plans(lambda: configs.page(engine, before, 50))
    assert "Index Only Scan" in found
    assert "Sort" not in found


def test_a_comment_as_long_as_may_be_fits_into_the_index(engine):
    added = configs.add(engine, "a: 1", "😀" * configs.MAX_AUTHOR, "😀" * configs.MAX_COMMENT)
    assert configs.get(engine, 1) == added


def test_a_comment_that_is_too_long_is_refused(engine):
    with pytest.raises(UsageError, match=r"^comment: the comment has 256 characters\. 255"):
        configs.add(engine, "a: 1", "ann", "x" * 256)


def test_restoring_makes_the_old_text_the_newest_version(engine):
    for n in range(3):
        configs.add(engine, f"n: {n}", "ann")
    restored = configs.restore(engine, 1, "bob")
    assert (restored.version, restored.yaml, restored.author) == (4, "n: 0", "bob")
    assert restored.comment == "restored from version 1"


def test_a_version_that_is_not_there_cannot_be_restored(engine):
    with pytest.raises(NotFound):
        configs.restore(engine, 7, "bob")


@pytest.fixture
def versions(engine):
    one = configs.add(engine, "a: 1\nb: 2\nc: 3\n", "ann")
    return one, replace(one, version=2, yaml="a: 1\nb: two\nc: 3\n")


def test_a_diff_names_the_versions_and_shows_the_lines(versions):
    assert configs.diff(*versions) == (
        "--- version 1\n+++ version 2\n@@ -1,3 +1,3 @@\n a: 1\n-b: 2\n+b: two\n c: 3\n"
    )


def test_the_same_text_has_no_diff(versions):
    assert configs.diff(versions[0], replace(versions[0], version=2)) == ""


def test_a_diff_tells_line_ends_apart(versions):
    one = replace(versions[0], yaml="a: 1\r\nb: 2")
    other = replace(versions[0], version=2, yaml="a: 1\nb: 2\n")
    assert configs.diff(one, other).splitlines()[3:] == [
        "-a: 1", "-b: 2", "\\ No newline at end of file", "+a: 1", "+b: 2",
    ]  # fmt: skip
    assert "-a: 1\r\n" in configs.diff(one, other)
