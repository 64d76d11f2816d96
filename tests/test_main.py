"""The terminal: what it prints, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib import auth, log
from chalicelib.__main__ import main

CONFIG = """
sources:
  - {type: local, path: data}
target: {table: orders}
schema:
  strict_mode: true
  on_invalid: quarantine
  columns:
    id: {type: integer, required: true}
    name: text
"""


@pytest.fixture(autouse=True)
def _quiet_afterwards() -> Iterator[None]:
    """The stream that is logged to ends with the test."""
    yield
    log.LOGGER.handlers = []


@pytest.fixture
def config(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ELT_TARGET_URL", database)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("id,name,extra\n 1 ,Ada,x\nzwei,Alan,y\n")
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    return path


def test_run_shows_files_quarantine_table_steps_and_the_combined_csv(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--config", str(config)]) == 0
    shown = capsys.readouterr().out
    for expected in ("a.csv", "'zwei' is not a whole", "bigint", "Ada", "combine", "combined.csv"):
        assert expected in shown
    assert "2 rows read = 1 loaded into public.orders + 1 quarantined" in shown


def test_a_second_run_says_that_nothing_is_new(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["run", "--config", str(config)])
    capsys.readouterr()
    assert main(["run", "--config", str(config)]) == 0
    shown = capsys.readouterr().out
    assert "loaded before" in shown
    assert "Nothing new" in shown


def test_run_answers_in_json_for_machines(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--config", str(config), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["read"], answer["inserted"], answer["quarantined"]) == (2, 1, 1)
    assert answer["sources"][0]["files"]["a.csv"]["ignored"] == ["extra"]


def test_a_full_run_reads_again_what_was_loaded_before(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["run", "--config", str(config)])
    capsys.readouterr()
    assert main(["run", "--config", str(config), "--full", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["mode"], answer["inserted"], answer["deleted"]) == ("replace", 1, 1)


def test_a_merge_shows_what_it_inserted_updated_and_superseded_and_its_checks(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(
        CONFIG.replace("{table: orders}", "{table: orders, mode: merge, primary_key: id}")
        + "checks: [{row_count: {min: 5}, on_failure: warn}, {unique: id}]\n"
    )
    (config.parent / "data" / "a.csv").write_text("id,name\n1,Ada\n1,Ada L\nx,y\n")
    assert main(["run", "--config", str(config)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "1 inserted into public.orders + 0 updated + 1 superseded + 1 quarantined" in shown
    assert "✗ check row_count min 5" in shown
    assert "✓ check unique id" in shown


def test_a_failed_run_says_why_and_exits_with_1(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (config.parent / "data" / "b.csv").write_text("id,id\n")
    assert main(["run", "--config", str(config)]) == 1
    assert "Failed: b.csv line 1: two columns are called 'id'" in capsys.readouterr().err


def test_a_failed_run_says_why_in_json(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "data" / "b.csv").write_text("id,id\n")
    assert main(["run", "--config", str(config), "--json"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["code"], error["where"]) == ("source", "b.csv line 1")


def test_a_typo_in_the_configuration_exits_with_2(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(CONFIG.replace("strict_mode", "strct_mode"))
    assert main(["run", "--config", str(config)]) == 2
    assert "line 6" in capsys.readouterr().err


def test_a_wrong_command_exits_with_2() -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["rnu"])
    assert stopped.value.code == 2


def test_check_needs_no_database(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ELT_TARGET_URL")
    assert main(["check", "--config", str(config)]) == 0
    assert "is valid: local → public.orders" in capsys.readouterr().out


def test_extract_writes_the_combined_csv_without_a_database(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ELT_TARGET_URL")
    output = tmp_path / "all.csv"
    assert main(["extract", "--config", str(config), "--output", str(output)]) == 0
    assert output.read_text() == "id,name\n1,Ada\n"


def test_extract_raw_writes_what_the_sources_hold(config: Path, tmp_path: Path) -> None:
    (tmp_path / "data" / "b.json").write_text('[{"id": 3, "colour": "red"}]')
    output = tmp_path / "all.csv"
    assert main(["extract", "--config", str(config), "--output", str(output), "--raw"]) == 0
    assert output.read_text() == ("id,name,extra,colour\n 1 ,Ada,x,\nzwei,Alan,y,\n3,,,red\n")


def test_extract_into_a_folder_that_is_not_there_fails_with_its_name(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "nowhere" / "all.csv"
    assert main(["extract", "--config", str(config), "--output", str(output)]) == 1
    assert str(output) in capsys.readouterr().err


def test_replay_loads_what_a_schema_that_is_corrected_allows(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["run", "--config", str(config), "--json"])
    run_id = json.loads(capsys.readouterr().out)["run_id"]
    config.write_text(CONFIG.replace("type: integer, required: true", "type: integer, default: 0"))
    assert main(["replay", "--config", str(config), "--json", run_id]) == 0
    assert json.loads(capsys.readouterr().out)["quarantined"] == 1, "zwei is still no number"


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "ELT pipeline configuration"


def test_tokens_are_made_listed_and_revoked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ELT_STATE_DIR", str(tmp_path))
    assert main(["token", "--role", "viewer", "--name", "ann"]) == 0
    token = capsys.readouterr().out.strip()
    assert auth.role_of(token) == auth.Identity("ann", "viewer")
    assert main(["token", "--list"]) == 0
    assert capsys.readouterr().out == "viewer   ann\n"
    assert main(["token", "--revoke", "--name", "ann"]) == 0
    assert auth.role_of(token) is None
    assert main(["token", "--revoke", "--name", "ann"]) == 1
    assert "there is no token called 'ann'" in capsys.readouterr().err
