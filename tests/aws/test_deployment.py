"""The very package of `make package`, deployed by `make deploy` and used as a person would."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import requests
from localstack_client.session import Session

from dev.aws.names import function_name, rule_name
from dev.aws.package import BUILD
from tests.aws.conftest import Shop
from tests.aws.service import STAGE, Api, Deployment, eventually

RULE = rule_name(STAGE)


def test_the_first_deployment_stores_a_configuration_and_prints_a_token(admin: Api) -> None:
    (version,) = admin.get("/configs").json()["configs"]
    assert version["version"] == 1


def test_the_gateway_asks_our_authorizer(deployment: Deployment, admin: Api) -> None:
    nobody, viewer = Api(admin.url), Api(admin.url, deployment.tokens["viewer"])
    assert nobody.get("/health").status_code == 200
    assert nobody.get("/configs").status_code == 401
    assert Api(admin.url, "elt_guess").get("/configs").status_code == 403
    assert viewer.get("/configs").status_code == 200
    assert viewer.post("/trigger-job").status_code == 403
    assert viewer.post("/upload-config").status_code == 403


def test_an_uploaded_configuration_is_run_and_its_rows_are_there(admin: Api, shop: Shop) -> None:
    shop.write("a.csv", "id,name\n1,Ada\nx,Alan\n")
    shop.write("deeper/b.json", '[{"id": 2, "name": "Grace"}]')
    version = admin.upload(shop.config)
    run = admin.watch(admin.trigger())
    assert (run["state"], run["error"], run["config_version"]) == ("succeeded", None, version)
    assert (run["read"], run["inserted"], run["quarantined"]) == (3, 2, 1)
    assert shop.rows == [(1, "Ada"), (2, "Grace")]
    (reject,) = admin.get(f"/runs/{run['id']}/rejects").json()["rejects"]
    assert (reject["file"], reject["line"], reject["value"]) == ("a.csv", 3, "x")


def test_what_is_loaded_is_not_loaded_again(admin: Api, shop: Shop) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n")
    admin.upload(shop.config)
    assert admin.watch(admin.trigger())["inserted"] == 1
    assert admin.watch(admin.trigger())["read"] == 0
    assert shop.rows == [(1, "Ada")]


def test_a_runs_output_is_fetched_by_a_url_without_a_token(admin: Api, shop: Shop) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n")
    admin.upload(shop.config)
    run = admin.watch(admin.trigger())
    output = admin.get(f"/runs/{run['id']}/output").json()
    assert requests.get(output["url"], timeout=10).text == "id,name\n1,Ada\n"


def test_a_failed_run_says_why_and_loads_nothing(admin: Api, shop: Shop) -> None:
    shop.write("a.csv", "id,id\n1,2\n")
    admin.upload(shop.config)
    run = admin.watch(admin.trigger())
    assert (run["state"], run["error"]["where"]) == ("failed", "a.csv line 1")


def test_the_end_of_a_run_is_logged_as_the_alarms_count_it(
    admin: Api, aws: Session, shop: Shop
) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n")
    admin.upload(shop.config)
    run_id = admin.watch(admin.trigger())["id"]
    group = f"/aws/lambda/{function_name(STAGE, 'job')}"

    def ended() -> Any:
        events = aws.client("logs").filter_log_events(logGroupName=group)["events"]
        lines = [json.loads(e["message"]) for e in events if f'"run_id":"{run_id}"' in e["message"]]
        return [line for line in lines if line["message"] == "run ended"]

    (line,) = eventually(ended, 30, "the log line")
    assert line["state"] == "succeeded"


def test_the_schedule_is_what_eventbridge_says(admin: Api, aws: Session) -> None:
    events = aws.client("events")
    assert admin.post("/schedule-job").json()["enabled"] is True
    assert events.describe_rule(Name=RULE)["State"] == "ENABLED"
    assert admin.post("/schedule-job", json={"enabled": False}).json()["enabled"] is False
    assert events.describe_rule(Name=RULE)["State"] == "DISABLED"
    events.enable_rule(Name=RULE)
    assert admin.get("/schedule-job").json()["enabled"] is True
    events.disable_rule(Name=RULE)
    assert admin.get("/schedule-job").json()["enabled"] is False


def test_a_rule_fires_by_itself_and_loads(admin: Api, shop: Shop) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n")
    version = admin.upload(shop.config)
    admin.post("/schedule-job", json={"rate": "rate(1 minute)", "enabled": True})

    def loaded() -> Any:
        runs = admin.get("/runs?trigger=schedule&state=succeeded").json()["runs"]
        return [run for run in runs if run["config_version"] == version]

    try:
        (run,) = eventually(loaded, 150, "a tick")
    finally:
        admin.post("/schedule-job", json={"rate": "rate(1 hour)", "enabled": False})
    assert run["inserted"] == 1
    assert shop.rows == [(1, "Ada")]


def test_the_doctor_names_what_the_functions_cannot_reach(
    deployment: Deployment, admin: Api, shop: Shop
) -> None:
    admin.upload(shop.config)
    assert all(deployment.examine().values())
    with deployment.database_gone():
        found = deployment.examine()
    assert [found[what] for what in ("secrets", "schedule", "bucket")] == [True] * 3
    assert not found["database"]


def test_an_invocation_that_breaks_reaches_its_destination(
    deployment: Deployment, aws: Session
) -> None:
    """A run's failure is in the history of runs, unless the job cannot write it there."""
    lost = {"run_id": "20260101T000000000000-lost"}
    with deployment.database_gone():
        aws.client("lambda").invoke(
            FunctionName=deployment.output("JobName"),
            InvocationType="Event",
            Payload=json.dumps(lost).encode(),
        )
        told = eventually(lambda: undone(aws), 60, "a message")
    assert told["requestPayload"] == lost
    assert "Connection refused" in told["responsePayload"]["errorMessage"]
    assert told["requestContext"]["condition"] == "RetriesExhausted"
    assert told["requestContext"]["approximateInvokeCount"] == 1, "a run is not tried twice"


def undone(aws: Session) -> Any:
    """The next message in the queue of invocations that failed for good."""
    queue = aws.client("sqs")
    url = queue.get_queue_url(QueueName=f"elt-pipeline-{STAGE}-undone")["QueueUrl"]
    for message in queue.receive_message(QueueUrl=url).get("Messages", []):
        queue.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return json.loads(message["Body"])
    return None


def changed(deployment: Deployment, build: Path) -> Path:
    """The same package with another template: CloudFormation has to set the rule anew, too."""
    shutil.copytree(BUILD / STAGE, build / STAGE)
    template = json.loads((build / STAGE / "template.json").read_text())
    job, tick = (template["Resources"][name]["Properties"] for name in ("Job", "Tick"))
    job["MemorySize"] = deployment.memory("job") + 1
    tick["Events"]["TickEvent"]["Properties"]["Description"] = f"As of {build}"
    (build / STAGE / "template.json").write_text(json.dumps(template))
    return build


@pytest.mark.parametrize(("rate", "enabled"), [("rate(30 minutes)", True), ("rate(2 days)", False)])
def test_a_redeployment_with_another_template_changes_nothing_that_is_live(
    deployment: Deployment, admin: Api, shop: Shop, tmp_path: Path, rate: str, enabled: bool
) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n")
    admin.upload(shop.config)
    admin.watch(admin.trigger())
    admin.post("/schedule-job", json={"rate": rate, "enabled": enabled})
    before, memory = live(deployment, admin), deployment.memory("job")
    printed = deployment.deploy(changed(deployment, tmp_path / "build"))
    assert "Modify   Job (AWS::Lambda::Function)" in printed
    assert "Modify   TickTickEvent (AWS::Events::Rule)" in printed
    assert "token" not in printed
    assert deployment.memory("job") == memory + 1
    assert live(deployment, admin) == before
    assert shop.rows == [(1, "Ada")]
    assert admin.watch(admin.trigger())["read"] == 0


def live(deployment: Deployment, admin: Api) -> dict[str, Any]:
    """What a redeployment must leave alone."""
    rule = deployment.aws.client("events").describe_rule(Name=RULE)
    return {
        "url": deployment.url,
        "rule": {name: rule[name] for name in ("State", "ScheduleExpression")},
        "configs": admin.get("/configs").json(),
        "runs": admin.get("/runs").json(),
    }
