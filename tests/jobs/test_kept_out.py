"""What runs kept out, counted and filtered, as the service answers it."""

from __future__ import annotations

from chalicelib import database, load
from tests.pipelines import Pipeline
from tests.service import CONFIG, Service


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
