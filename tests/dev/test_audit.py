"""What is known to be weak fails the audit, and what nobody could look up is not called sound."""

from __future__ import annotations

from typing import Any

from dev.audit import verdict

SOUND = {"name": "a", "version": "1", "vulns": []}
WEAK = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "c", "skip_reason": "not found"}


def audited(*dependencies: dict[str, Any]) -> tuple[str, int]:
    return verdict({"dependencies": dependencies})


def test_a_weak_package_fails_with_the_version_that_mends_it() -> None:
    said, code = audited(SOUND, WEAK)
    assert said == "2 packages audited, 1 weak\nb 2: PYSEC-1, mended in 2.1"
    assert code == 1


def test_sound_packages_pass() -> None:
    assert audited(SOUND) == ("1 packages audited, 0 weak", 0)


def test_what_could_not_be_looked_up_is_said() -> None:
    assert audited(SOUND, UNKNOWN)[0].endswith("no advisories can be had for 1")
    assert audited(UNKNOWN)[0].startswith("not audited")
