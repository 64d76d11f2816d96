"""What runs kept out, counted and filtered, as the service answers it."""

from __future__ import annotations

import pytest

from chalicelib import database, load
from chalicelib.load.migrations import MIGRATIONS
from tests.pipelines import Pipeline
from tests.service import CONFIG, Service, fetched


def run(admin: Service) -> str:
    run_id = admin.post("/trigger-job").json()["run_id"]
    assert admin.watch(run_id)["state"] == "succeeded"
    return str(run_id)


def test_rejects_are_counted_by_kind_and_filtered(admin: Service, shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\nx,Ada\ny,Alan\n3\n4,Grace\n")
    admin.upload()
    run_id = run(admin)
    kinds = admin.get(f"/runs/{run_id}/rejects/kinds")["kinds"]
    assert [(kind["column"], kind["rows"], kind["open"]) for kind in kinds] == [
        ("id", 2, 2),
        (None, 1, 1),
    ]
    of_id = admin.get(f"/runs/{run_id}/rejects?column=id")["rejects"]
    assert [reject["value"] for reject in of_id] == ["x", "y"]
    whole = admin.get(f"/runs/{run_id}/rejects?column=&reason={kinds[1]['reason']}")["rejects"]
    assert [reject["line"] for reject in whole] == [4]
    assert admin.get(f"/runs/{run_id}/rejects?column=name")["rejects"] == []
    assert admin.get("/runs/none/rejects/kinds")["error"]["code"] == "not_found"


def test_rejects_are_fetched_as_csv_as_they_are_filtered(
    admin: Service, shop: Pipeline, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELT_BUCKET", bucket)
    shop.write("a.csv", 'id,name\nx,Ada\n"y,\n""2""",Alan\n3\n4,Grace\n')
    admin.upload()
    path = f"/runs/{run(admin)}/rejects/csv"
    whole = fetched(admin.get(path))
    assert [row["line"] for row in whole] == ["2", "3", "5"]
    assert fetched(admin.get(f"{path}?column=id")) == whole[:2]
    assert fetched(admin.get(f"{path}?column=")) == whole[2:]
    assert fetched(admin.get(f"{path}?reason={whole[2]['reason']}")) == whole[2:]
    assert fetched(admin.get(f"{path}?column=name")) == []
    assert "/on-request/" in admin.get(f"{path}?column=id")["url"]


def test_rejects_of_all_parts_are_fetched_as_one_csv(
    admin: Service, shop: Pipeline, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELT_BUCKET", bucket)
    monkeypatch.setenv("ELT_PART_BYTES", "20")
    for name in ("a.csv", "b.csv"):
        shop.write(name, f"id,name\nx,Ada\n1,{name}\n")
    admin.upload()
    found = fetched(admin.get(f"/runs/{run(admin)}/rejects/csv"))
    assert [(row["part"], row["file"]) for row in found] == [("1", "a.csv"), ("2", "b.csv")]


def test_without_a_bucket_a_filtered_csv_is_not_found_either(
    admin: Service, shop: Pipeline
) -> None:
    shop.write("a.csv", "id,name\nx,Ada\n")
    admin.upload()
    refused = admin.get(f"/runs/{run(admin)}/rejects/csv?column=id")["error"]
    assert (refused["code"], "Set ELT_BUCKET" in refused["message"]) == ("not_found", True)


def test_a_row_that_could_not_be_split_tells_the_columns_of_its_source(
    admin: Service, shop: Pipeline
) -> None:
    shop.write("a.csv", "id,Größe,name\n1,2,3,4\nx,3,Ada\n")
    admin.upload()
    broken, split = admin.get(f"/runs/{run(admin)}/rejects")["rejects"]
    assert broken["columns"] == ["id", "Größe", "name"]
    assert split["columns"] == []


def test_rejects_of_an_earlier_release_are_read_before_a_run_of_this_one(
    admin: Service, shop: Pipeline
) -> None:
    shop.write("a.csv", "id,name\n1,2,3\n")
    admin.upload()
    run_id = run(admin)
    shop.query("alter table elt.rejects drop column columns")
    shop.query(f"delete from elt.migrations where version = {len(MIGRATIONS)}")
    (reject,) = admin.get(f"/runs/{run_id}/rejects")["rejects"]
    assert (reject["row"], reject["columns"]) == ({"_raw": "1,2,3"}, [])


def test_what_waits_is_counted_by_run_until_it_is_replayed(admin: Service, shop: Pipeline) -> None:
    assert admin.get("/rejects") == {"rows": 0, "runs": {}}
    admin.upload()
    assert admin.get("/rejects") == {"rows": 0, "runs": {}}, "there are no tables yet"
    shop.write("a.csv", "id,name\nx,Ada\n")
    first = run(admin)
    shop.write("b.csv", "id,name\ny,Alan\nz,Grace\n")
    second = run(admin)
    assert admin.get("/rejects") == {"rows": 3, "runs": {second: 2, first: 1}}
    shop.query("alter table orders alter id type text")
    admin.upload(CONFIG.replace("id: integer", "id: text"))
    admin.watch(admin.post(f"/runs/{second}/replay").json()["run_id"])
    assert admin.get("/rejects") == {"rows": 1, "runs": {first: 1}}
    assert admin.get(f"/runs/{second}/rejects/kinds")["kinds"][0]["open"] == 0


def test_rejects_of_other_tables_do_not_count(admin: Service, shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\nx,Ada\n")
    admin.upload()
    run(admin)
    engine = database.connect(shop.config.target)
    assert sum(load.waiting(engine, "public.orders").values()) == 1
    assert load.waiting(engine, "public.other") == {}
