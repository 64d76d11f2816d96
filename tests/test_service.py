"""The service over HTTP: versions, runs, schedule, roles; real database, real EventBridge rules."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
import requests

from chalicelib import auth, jobs, secrets, settings
from chalicelib.errors import LaunchError
from chalicelib.history import leases, runs
from chalicelib.history.records import NewRun
from chalicelib.jobs import common
from chalicelib.jobs import previews as previewing
from chalicelib.secrets import user_store
from tests.pipelines import Pipeline
from tests.service import CONFIG, Service, fetched


def test_versions_are_kept_compared_and_restored(admin: Service) -> None:
    assert admin.upload().status_code == 201
    second = admin.upload(CONFIG.replace("orders", "sales"))
    assert second.json()["version"] == 2
    assert [entry["version"] for entry in admin.get("/configs")["configs"]] == [2, 1]
    assert "+target: {table: sales}" in admin.get("/configs/1/diff/2")["diff"]
    assert admin.post("/configs/1/restore").json()["version"] == 3
    assert admin.get("/configs/3")["yaml"] == CONFIG
    assert admin.get("/configs/9")["error"]["code"] == "not_found"


def test_a_comment_comes_with_the_text_or_in_a_header(admin: Service) -> None:
    admin.post("/upload-config", json={"yaml": CONFIG, "comment": "für uns / 1"})
    headers = {"Content-Type": "text/yaml", "X-Comment": "by curl"}
    admin.post("/upload-config", data=CONFIG.encode(), headers=headers)
    assert [v["comment"] for v in admin.get("/configs")["configs"]] == ["by curl", "für uns / 1"]


def test_a_token_tells_whose_it_is_and_what_it_may_do(
    connect: Callable[[str], Service],
) -> None:
    assert connect("operator").get("/me") == {"name": "operator", "role": "operator"}


def test_fifty_uploads_at_once_have_no_gaps(admin: Service) -> None:
    with ThreadPoolExecutor(10) as pool:
        versions = [
            answer.json()["version"] for answer in pool.map(lambda _: admin.upload(), range(50))
        ]
    assert sorted(versions) == list(range(1, 51))


def test_mistakes_come_all_at_once_with_their_lines(admin: Service) -> None:
    answer = admin.upload(CONFIG.replace("strict_mode", "strct").replace("integer", "int"))
    assert answer.status_code == 422
    details = answer.json()["error"]["details"]
    assert [detail.split(":")[0] for detail in details] == ["line 5", "line 7"]
    assert admin.get("/configs")["configs"] == []


def test_a_secret_written_out_is_kept_elsewhere_and_never_shown(
    admin: Service, shop: Pipeline
) -> None:
    text = CONFIG.replace("{table: orders}", "{table: orders, password: c4nary-5ecret}")
    answer = admin.upload(text)
    assert answer.status_code == 201
    (name,) = answer.json()["moved_secrets"]
    assert f'password: "${{secret:{name}}}"' in answer.json()["yaml"]
    assert user_store().get(name) == "c4nary-5ecret"
    admin.upload()
    stored = admin.get("/configs/1"), admin.get("/configs/1/diff/2"), admin.get("/configs")
    assert "c4nary" not in f"{answer.text}{stored}{shop.query('select * from elt_service.configs')}"
    assert admin.get("/configs/1")["yaml"] == answer.json()["yaml"]
    shop.write("a.csv", "id,name\n1,Ada\n")
    admin.post("/configs/1/restore")
    run = admin.watch(admin.post("/trigger-job").json()["run_id"])
    assert run["state"] == "succeeded"


def test_a_secret_that_cannot_be_moved_is_refused_by_line(admin: Service) -> None:
    text = CONFIG.replace("path: data", "path: data, s3: 's3://u:c4nary@b/x'")
    for path in ("/upload-config", "/validate-config", "/previews"):
        answer = admin.post(path, data=text.encode(), headers={"Content-Type": "text/yaml"})
        assert answer.status_code == 422
        assert answer.json()["error"]["details"][0].startswith("line 2: sources[0].s3: a URL with")
        assert "c4nary" not in answer.text


def test_a_run_is_triggered_watched_and_its_rows_are_there(admin: Service, shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\n1,Ada\nx,Alan\n")
    admin.upload()
    started = admin.post("/trigger-job")
    assert started.status_code == 202
    assert started.elapsed < timedelta(seconds=1)
    run = admin.watch(started.json()["run_id"])
    assert (run["state"], run["read"], run["inserted"], run["quarantined"]) == (
        "succeeded",
        2,
        1,
        1,
    )
    assert run["progress"]["percent"] == 100
    assert run["result"]["sources"][0]["files"]["a.csv"]["rows"] == 2
    assert shop.rows == [(1, "Ada")]
    assert [entry["id"] for entry in admin.get("/runs?state=succeeded")["runs"]] == [run["id"]]


def test_what_a_run_kept_out_is_read_page_by_page(admin: Service, shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\nx,Ada\ny,Alan\n3\n")
    admin.upload()
    run_id = admin.post("/trigger-job").json()["run_id"]
    admin.watch(run_id)
    first = admin.get(f"/runs/{run_id}/rejects?limit=2")
    assert [(r["line"], r["column"], r["value"]) for r in first["rejects"]] == [
        (2, "id", "x"),
        (3, "id", "y"),
    ]
    assert list(first["rejects"][0]["row"].items()) == [("id", "x"), ("name", "Ada")]
    (last,) = admin.get(f"/runs/{run_id}/rejects?limit=2&after={first['next']}")["rejects"]
    assert (last["line"], last["reason"]) == (4, "has 1 fields where the header has 2")
    assert admin.get("/runs/unknown/rejects")["error"]["code"] == "not_found"


def test_where_nothing_was_ever_loaded_there_are_no_rejects(admin: Service) -> None:
    admin.upload(CONFIG.replace("path: data", "path: gone"))
    queued = runs.queue(jobs.service(), NewRun("api", "ann", config_version=1))
    assert admin.get(f"/runs/{queued.id}/rejects") == {"rejects": [], "next": None}
    leases.request_cancel(jobs.service(), queued.id)


def test_a_merge_counts_every_row_and_its_report_has_the_checks(
    admin: Service, shop: Pipeline
) -> None:
    checks = "checks: [{unique: id}, {row_count: {min: 9}, on_failure: warn}]\n"
    keyed = "{table: orders, mode: merge, primary_key: id}"
    admin.upload(CONFIG.replace("{table: orders}", keyed) + checks)
    shop.write("a.csv", "id,name\n1,Ada\n")
    admin.watch(admin.post("/trigger-job").json()["run_id"])
    shop.write("a.csv", "id,name\n1,Ada L\n2,Alan\n2,Alan T\nx,bad\n")
    run = admin.watch(admin.post("/trigger-job").json()["run_id"])
    counts = {"read": 4, "inserted": 1, "updated": 1, "superseded": 1, "quarantined": 1}
    assert {name: run[name] for name in counts} == counts
    assert [check["passed"] for check in run["result"]["checks"]] == [True, False]
    (latest, *_) = admin.get("/runs")["runs"]
    assert {name: latest[name] for name in counts} == counts


def test_a_failed_check_is_the_error_of_the_run(admin: Service, shop: Pipeline) -> None:
    admin.upload(CONFIG + "checks: [{row_count: {min: 9}}]\n")
    shop.write("a.csv", "id,name\n1,Ada\n")
    run = admin.watch(admin.post("/trigger-job").json()["run_id"])
    assert (run["state"], run["error"]["code"]) == ("failed", "check_failed")


def test_without_a_configuration_there_is_nothing_to_run(admin: Service) -> None:
    answer = admin.post("/trigger-job")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_configuration")


def test_the_same_key_is_the_same_run(admin: Service, shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n")
    admin.upload()
    keyed = {"headers": {"Idempotency-Key": "once"}}
    first, again = (admin.post("/trigger-job", **keyed).json()["run_id"] for _ in range(2))
    assert first == again
    admin.watch(first)
    assert admin.post("/trigger-job", **keyed).json()["run_id"] == first
    assert len(admin.get("/runs")["runs"]) == 1


def test_a_failed_run_says_why_and_can_be_resumed(admin: Service, shop: Pipeline) -> None:
    broken = shop.write("a.csv", "id,id\n")
    admin.upload()
    run = admin.watch(admin.post("/trigger-job").json()["run_id"])
    assert run["state"] == "failed"
    assert run["error"]["where"] == "a.csv line 1"
    broken.write_text("id,name\n1,Ada\n")
    assert admin.post(f"/runs/{run['id']}/resume").status_code == 202
    assert admin.watch(run["id"])["state"] == "succeeded"
    assert admin.post(f"/runs/{run['id']}/resume").status_code == 409
    assert shop.rows == [(1, "Ada")]


def test_quarantined_rows_are_replayed_under_the_newest_schema(
    admin: Service, shop: Pipeline
) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n1x,Alan\n")
    admin.upload()
    first = admin.watch(admin.post("/trigger-job").json()["run_id"])
    shop.query("alter table orders alter id type text")
    admin.upload(CONFIG.replace("id: integer", "id: text"))
    replay = admin.watch(admin.post(f"/runs/{first['id']}/replay").json()["run_id"])
    assert (replay["state"], replay["parent"], replay["inserted"]) == ("succeeded", first["id"], 1)
    assert shop.rows == [("1", "Ada"), ("1x", "Alan")]


def test_a_run_whose_process_died_is_settled_by_the_ledger(
    admin: Service, shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that committed has succeeded; one that did not is interrupted, and can be resumed."""
    shop.write("a.csv", "id,name\n1,Ada\n")
    admin.upload()
    monkeypatch.setattr(jobs, "launch", lambda _: None)
    dead = admin.post("/trigger-job").json()["run_id"]
    shop.run(run_id=dead)
    lapse = f"update elt_service.runs set lease_until = now() - interval '1 s' where id = '{dead}'"
    shop.query(lapse)
    assert admin.get(f"/runs/{dead}")["state"] == "interrupted"
    jobs.settle(jobs.service())
    assert admin.get(f"/runs/{dead}")["state"] == "succeeded"
    other = admin.post("/trigger-job").json()["run_id"]
    shop.query(lapse.replace(dead, other))
    monkeypatch.undo()
    monkeypatch.setenv("ELT_TARGET_URL", shop.url)
    jobs.settle(jobs.service())
    assert runs.get(jobs.service(), other).state == "interrupted"


def test_a_run_is_cancelled_in_mid_copy_and_leaves_nothing(admin: Service, shop: Pipeline) -> None:
    shop.query("create table orders (id bigint, name text)")
    shop.query(
        "create function dawdle() returns trigger language plpgsql as"
        " $$ begin perform pg_sleep(0.05); return new; end $$"
    )
    shop.query("create trigger slow before insert on orders for each row execute function dawdle()")
    shop.write("a.csv", "id,name\n" + "".join(f"{n},Ada\n" for n in range(2_000)))
    admin.upload()
    run_id = admin.post("/trigger-job").json()["run_id"]
    copying = "select count(*) from pg_stat_progress_copy where tuples_processed > 0"
    while shop.query(copying) == [(0,)]:
        time.sleep(0.02)
    assert admin.post(f"/runs/{run_id}/cancel").status_code == 202
    assert admin.watch(run_id)["state"] == "cancelled"
    assert shop.rows == []
    assert admin.post(f"/runs/{run_id}/cancel").status_code == 409


def test_the_schedule_is_what_eventbridge_says(admin: Service) -> None:
    assert admin.get("/schedule-job")["enabled"] is False
    assert admin.post("/schedule-job").json() == {
        "enabled": True, "rate": "rate(1 hour)", "next_run": None,
    }  # fmt: skip
    assert admin.post("/schedule-job", json={"rate": "rate(30 minutes)"}).json()["rate"] == (
        "rate(30 minutes)"
    )
    assert admin.post("/schedule-job", json={"enabled": False}).json()["enabled"] is False
    assert admin.post("/schedule-job", json={"rate": "often"}).status_code == 400


def test_an_event_is_run_once_and_skipped_while_a_run_works(
    admin: Service, shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n")
    now = datetime.now(UTC)
    assert jobs.tick("event-0", now).state == "skipped", "there is no configuration yet"
    admin.upload()
    admin.post("/schedule-job")
    first = jobs.tick("event-1", now)
    assert jobs.tick("event-1", now).id == first.id
    admin.watch(first.id)
    assert jobs.tick("event-2", now - timedelta(hours=6)).state == "skipped"
    monkeypatch.setattr(jobs, "launch", lambda _: None)
    admin.post("/trigger-job")
    assert jobs.tick("event-3", now).state == "skipped"
    assert admin.get("/schedule-job")["next_run"]


def test_a_tick_deletes_what_is_older_than_the_newest_version_says(
    admin: Service, shop: Pipeline
) -> None:
    shop.write("a.csv", "id,name\n1,Ada\nx,Alan\n")
    admin.upload(CONFIG + "retention: {runs: 30d, rejects: 7d}")
    old = admin.watch(admin.post("/trigger-job").json()["run_id"])["id"]
    shop.query("update elt.rejects set created_at = now() - interval '6 days'")
    shop.query("update elt_service.runs set finished_at = now() - interval '31 days'")
    admin.watch(jobs.tick("event-1", datetime.now(UTC)).id)
    assert old not in [run["id"] for run in admin.get("/runs")["runs"]]
    assert shop.query("select count(*) from elt.rejects") == [(1,)]
    shop.query("update elt.rejects set created_at = now() - interval '8 days'")
    admin.watch(jobs.tick("event-2", datetime.now(UTC)).id)
    assert shop.query("select count(*) from elt.rejects") == [(0,)]


def test_since_is_a_time_and_no_number(admin: Service) -> None:
    assert admin.get("/runs?since=2026-01-31T14:30:00Z") == {"runs": [], "next": None}
    assert admin.get("/runs?since=0.5")["error"]["code"] == "invalid_request"


def test_each_answer_is_described_under_a_name_of_its_own(admin: Service) -> None:
    described = admin.get("/openapi.json")["components"]["schemas"]
    assert described["ConfigHistory"]["properties"].keys() == {"configs", "next"}
    assert described["RunHistory"]["properties"].keys() == {"runs", "next"}


def test_roles(connect: Callable[[str], Service]) -> None:
    viewer, operator = connect("viewer"), connect("operator")
    assert viewer.get("/configs") == {"configs": [], "next": None}
    assert viewer.post("/trigger-job").status_code == 403
    assert operator.upload().status_code == 403
    assert operator.post("/trigger-job").status_code == 409
    nobody = requests.get(viewer.url + "/configs", timeout=10)
    assert nobody.status_code == 401
    stranger = requests.get(
        viewer.url + "/configs", headers={"Authorization": "Bearer elt_guess"}, timeout=10
    )
    assert stranger.status_code == 403


def test_tokens_are_stored_as_hashes_by_their_owner_alone(shop: Pipeline) -> None:
    token = auth.make_token("viewer", "ann")
    (stored,) = (shop.folder / "state").rglob("service.json")
    assert token not in stored.read_text()
    assert json.dumps(token[4:]) not in stored.read_text()
    assert stored.stat().st_mode & 0o077 == 0
    assert auth.role_of(token) == auth.Identity("ann", "viewer")
    auth.make_token("admin", "ann")
    assert auth.role_of(token) is None, "a new token of a name ends the old one"


def test_what_a_run_wrote_is_fetched_by_a_url(
    admin: Service, shop: Pipeline, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELT_BUCKET", bucket)
    shop.write("a.csv", "id,name\n1,Ada\nx,Alan\n")
    admin.upload()
    run_id = admin.post("/trigger-job").json()["run_id"]
    admin.watch(run_id)
    assert fetched(admin.get(f"/runs/{run_id}/output")) == [{"id": "1", "name": "Ada"}]
    (reject,) = fetched(admin.get(f"/runs/{run_id}/rejects/csv"))
    assert (reject["line"], reject["value"]) == ("3", "x")
    assert json.loads(reject["row"]) == {"id": "x", "name": "Alan"}
    assert admin.get("/runs/other/output")["error"]["code"] == "not_found"


def test_rejects_of_a_run_that_failed_for_them_are_fetched_too(
    admin: Service, shop: Pipeline, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELT_BUCKET", bucket)
    shop.write("a.csv", "id,name\n1,Ada\nx,Alan\n")
    admin.upload(CONFIG.replace("quarantine", "fail"))
    run = admin.watch(admin.post("/trigger-job").json()["run_id"])
    assert (run["state"], run["error"]["code"]) == ("failed", "invalid_rows")
    assert [row["value"] for row in fetched(admin.get(f"/runs/{run['id']}/rejects/csv"))] == ["x"]
    assert admin.get(f"/runs/{run['id']}/output")["error"]["code"] == "not_found"


def test_corrected_rows_are_loaded_in_place_of_the_rejects(admin: Service, shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\n1,Ada\nzwei,Alan\ndrei,Grace\n")
    admin.upload()
    first = admin.watch(admin.post("/trigger-job").json()["run_id"])
    rejects = admin.get(f"/runs/{first['id']}/rejects")["rejects"]
    corrections = {rejects[0]["id"]: {"id": "2", "name": "Alan"}}
    unknown = admin.post(f"/runs/{first['id']}/replay", json={"corrections": {"999": {}}})
    assert unknown.status_code == 404
    assert "not in the quarantine" in unknown.json()["error"]["message"]
    answer = admin.post(f"/runs/{first['id']}/replay", json={"corrections": corrections})
    replay = admin.watch(answer.json()["run_id"])
    assert (replay["inserted"], replay["quarantined"]) == (1, 1)
    assert shop.rows == [(1, "Ada"), (2, "Alan")]
    late = {"corrections": {rejects[1]["id"]: {"id": "3"}}}
    moved = admin.post(f"/runs/{first['id']}/replay", json=late)
    assert moved.status_code == 404
    assert f"rejects of the run {replay['id']}" in moved.json()["error"]["message"]


def test_a_replay_that_failed_is_resumed_as_a_replay(admin: Service, shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\n1,Ada\nzwei,Alan\n")
    admin.upload()
    first = admin.watch(admin.post("/trigger-job").json()["run_id"])
    admin.upload(CONFIG.replace("id: integer", "id: text"))
    failed = admin.watch(admin.post(f"/runs/{first['id']}/replay").json()["run_id"])
    assert failed["state"] == "failed", "the table's column is an integer still"
    shop.query("alter table orders alter id type text")
    shop.write("b.csv", "id,name\n7,Bob\n")
    admin.post(f"/runs/{failed['id']}/resume")
    assert admin.watch(failed["id"])["inserted"] == 1
    assert shop.rows == [("1", "Ada"), ("zwei", "Alan")]


def seen(admin: Service, text: str) -> Any:
    asked = admin.post("/previews", data=text.encode(), headers={"Content-Type": "text/yaml"})
    assert asked.status_code == 202
    for _ in range(300):
        preview = admin.get(asked.json()["url"])
        if preview["state"] != "queued":
            return preview
        time.sleep(0.05)
    pytest.fail(f"no preview: {preview}")


def test_a_preview_names_the_secrets_that_it_moved(
    admin: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previewing, "launch", lambda _: None)
    text = CONFIG.replace("{table: orders}", "{table: orders, password: c4nary-1}")
    asked = admin.post("/previews", data=text.encode(), headers={"Content-Type": "text/yaml"})
    (name,) = asked.json()["moved_secrets"]
    assert secrets.user_store().get(name) == "c4nary-1"


def test_a_configuration_is_tried_before_it_is_stored(admin: Service, shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\n1,Ada\nx,Alan\n")
    text = CONFIG.replace("id: integer, name: text", "name: text, id: integer")
    preview = seen(admin, text.replace("{table: orders}", "{table: orders, password: c4nary-1}"))
    assert preview["state"] == "succeeded"
    (source,) = preview["sources"]
    assert list(source["columns"].items()) == [("name", "text"), ("id", "bigint")]
    assert [len(row["problems"]) for row in source["rows"]] == [0, 1]
    assert admin.get("/configs") == {"configs": [], "next": None}
    assert "c4nary" not in str(shop.query("select * from elt_service.previews"))
    assert shop.query("select to_regclass('orders')") == [(None,)]


def test_a_preview_says_which_source_cannot_be_read(admin: Service) -> None:
    (source,) = seen(admin, CONFIG.replace("path: data", "path: gone"))["sources"]
    assert (source["error"]["code"], source["rows"]) == ("source", [])
    assert admin.get("/previews/none")["error"]["code"] == "not_found"


def test_a_preview_that_nobody_makes_fails_by_itself(
    admin: Service, shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previewing, "launch", lambda _: None)
    asked = admin.post(
        "/previews", data=CONFIG.encode(), headers={"Content-Type": "text/yaml"}
    ).json()
    assert admin.get(asked["url"])["state"] == "queued"
    shop.query("update elt_service.previews set created_at = now() - interval '3 minutes'")
    assert admin.get(asked["url"])["state"] == "failed"


def test_a_run_that_cannot_be_started_says_so_and_gives_way(
    admin: Service, monkeypatch: pytest.MonkeyPatch, shop: Pipeline
) -> None:
    admin.upload()
    monkeypatch.setenv("ELT_JOB_FUNCTION", "no-such-function")
    answer = admin.post("/trigger-job")
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "launch")
    monkeypatch.delenv("ELT_JOB_FUNCTION")
    shop.query("update elt_service.runs set lease_until = now() - interval '1 s'")
    assert admin.watch(admin.post("/trigger-job").json()["run_id"])["state"] == "succeeded"


def test_a_text_over_the_limit_is_too_large_however_it_comes(admin: Service) -> None:
    text = CONFIG + "#" * (1 << 20)
    as_text = {"data": text.encode(), "headers": {"Content-Type": "text/yaml"}}
    for options in (as_text, {"json": {"yaml": text}}, {"files": {"file": text}}):
        answer = admin.post("/upload-config", **options)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_a_full_page_that_is_the_last_one_says_so(admin: Service) -> None:
    admin.upload()
    admin.upload()
    assert admin.get("/configs?limit=2")["next"] is None
    assert admin.get("/configs?limit=1")["next"] == 2


def test_a_service_that_was_not_told_its_database_is_no_bug(
    admin: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELT_SERVICE_URL", "no address")
    answer = admin.session.get(admin.url + "/runs", timeout=10)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_database")


def test_a_warm_function_keeps_nothing_of_a_run_on_its_disk(
    connect: Callable[[str], Service],
    shop: Pipeline,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    boto3.client("s3").put_object(Bucket=bucket, Key="in/a.csv", Body=b"id,name\n1,Ada\n")
    monkeypatch.setenv("ELT_BUCKET", bucket)
    monkeypatch.setattr(settings, "on_lambda", lambda: True)
    monkeypatch.setattr(settings, "data_folder", lambda: shop.folder)
    monkeypatch.setenv("ELT_WORK_DIR", str(shop.folder / "out"))
    admin = connect("admin")
    admin.upload(CONFIG.replace("path: data", f"path: fetched, s3: 's3://{bucket}/in'"))
    for inserted in (1, 0):
        run = admin.watch(admin.post("/trigger-job").json()["run_id"])
        assert (run["state"], run["inserted"]) == ("succeeded", inserted)
    assert not (shop.folder / "fetched").exists()
    assert list((shop.folder / "out" / "runs").iterdir()) == []
    first = admin.get("/runs")["runs"][-1]["id"]
    assert fetched(admin.get(f"/runs/{first}/output")) == [{"id": "1", "name": "Ada"}]


def test_a_start_that_failed_is_made_up_for_when_it_is_asked_for_again(
    admin: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.upload()
    keyed = {"headers": {"Idempotency-Key": "once"}}
    monkeypatch.setenv("ELT_JOB_FUNCTION", "no-such-function")
    assert [admin.post("/trigger-job", **keyed).status_code for _ in range(2)] == [502, 502]
    monkeypatch.delenv("ELT_JOB_FUNCTION")
    again = admin.post("/trigger-job", **keyed).json()["run_id"]
    assert admin.watch(again)["state"] != "interrupted"
    assert len(admin.get("/runs")["runs"]) == 1


def test_a_tick_whose_run_cannot_be_started_fails_so_that_it_is_sent_again(
    admin: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.upload()
    now = datetime.now(UTC)
    monkeypatch.setenv("ELT_JOB_FUNCTION", "no-such-function")
    with pytest.raises(LaunchError):
        jobs.tick("event-1", now)
    monkeypatch.delenv("ELT_JOB_FUNCTION")
    assert admin.watch(jobs.tick("event-1", now).id)["trigger"] == "schedule"


def test_a_skipped_run_has_no_rejects_and_nothing_to_replay(admin: Service) -> None:
    skipped = jobs.tick("event-1", datetime.now(UTC))
    assert skipped.state == "skipped"
    assert admin.get(f"/runs/{skipped.id}/rejects") == {"rejects": [], "next": None}
    assert admin.get(f"/runs/{skipped.id}/rejects/kinds") == {"kinds": []}
    admin.upload()
    for body in ({}, {"corrections": {"1": {"id": "2"}}}):
        answer = admin.post(f"/runs/{skipped.id}/replay", json=body)
        assert answer.status_code == 409
        assert "nothing in quarantine" in answer.json()["error"]["message"]


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A port where connections are accepted and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def begun(admin: Service, silent: socket.socket) -> str:
    """A run that a process works on, with a target that does not answer."""
    port = silent.getsockname()[1]
    target = f"{{host: 127.0.0.1, port: {port}, sslmode: disable, table: orders}}"
    version = admin.upload(CONFIG.replace("{table: orders}", target)).json()["version"]
    queued = runs.queue(jobs.service(), NewRun("api", "ann", config_version=version))
    assert leases.begin(jobs.service(), queued.id, "process")
    return queued.id


def connections(silent: socket.socket) -> int:
    silent.setblocking(False)
    accepted = 0
    with suppress(BlockingIOError):
        for count in range(99):
            silent.accept()[0].close()
            accepted = count + 1
    return accepted


@pytest.fixture
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (jobs, common):
        monkeypatch.setattr(module, "HURRY", 0.2)


@pytest.mark.usefixtures("_hurry")
def test_a_wish_to_cancel_is_stored_although_the_target_is_silent(
    admin: Service, silent: socket.socket
) -> None:
    run_id = begun(admin, silent)
    assert admin.get(f"/runs/{run_id}")["cancel_requested"] is False
    assert admin.post(f"/runs/{run_id}/cancel").status_code == 202
    assert connections(silent) == 1, "it is tried once"
    run = admin.get(f"/runs/{run_id}")
    assert (run["state"], run["cancel_requested"]) == ("running", True)


def test_a_run_is_cancelled_before_anything_was_ever_loaded(admin: Service) -> None:
    admin.upload()
    queued = runs.queue(jobs.service(), NewRun("api", "ann", config_version=1))
    assert leases.begin(jobs.service(), queued.id, "process")
    assert admin.post(f"/runs/{queued.id}/cancel").status_code == 202


@pytest.mark.usefixtures("_hurry")
def test_a_start_does_not_wait_for_the_silent_target_of_a_run_that_died(
    admin: Service, shop: Pipeline, silent: socket.socket
) -> None:
    dead = begun(admin, silent)
    shop.query("update elt_service.runs set lease_until = now() - interval '1 s'")
    admin.upload()
    started = admin.post("/trigger-job")
    assert started.status_code == 202
    assert connections(silent) == 1, "it is asked once"
    assert admin.get(f"/runs/{dead}")["state"] == "interrupted"
    admin.watch(started.json()["run_id"])


def test_a_key_stands_for_one_order_alone(admin: Service) -> None:
    admin.upload()
    keyed = {"Idempotency-Key": "once"}
    run_id = admin.post("/trigger-job", headers=keyed, json={"full": True}).json()["run_id"]
    admin.watch(run_id)
    admin.upload()
    for other in ({}, {"full": True, "version": 2}):
        answer = admin.post("/trigger-job", headers=keyed, json=other)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
        assert run_id in answer.json()["error"]["message"]
    again = admin.post("/trigger-job", headers=keyed, json={"full": True})
    assert again.json()["run_id"] == run_id


def test_a_tick_runs_although_eventbridge_cannot_be_asked(
    admin: Service, shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n")
    admin.upload()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    ticked = jobs.tick("event-1", datetime.now(UTC) - timedelta(hours=6))
    assert admin.watch(ticked.id)["state"] == "succeeded"
