"""Change sets, packages and secrets against an emulated AWS; LocalStack tests the whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib import auth, schedule
from chalicelib.errors import AddressError, EltError, UsageError
from chalicelib.secrets import service_store
from dev.aws import __main__, cloudformation, code, deploy, service
from dev.aws.account import Account
from dev.aws.cloudformation import Stack
from dev.aws.service import Answer

RULE = {
    "Type": "AWS::Events::Rule",
    "Properties": {
        "Name": "elt-pipeline-dev-tick",
        "ScheduleExpression": {"Ref": "ScheduleRate"},
        "State": {"Ref": "ScheduleState"},
    },
}
CONFIG = "sources: [{type: local, path: data}]\ntarget: {table: t}\n"
TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "AlarmEmail"}}}


def template(**resources: Any) -> dict[str, Any]:
    """With the parameters of ours that matter here."""
    defaults = {"ScheduleRate": "rate(1 hour)", "ScheduleState": "DISABLED", "AlarmEmail": "none"}
    return {
        "Parameters": {name: {"Type": "String", "Default": v} for name, v in defaults.items()},
        "Resources": {"Rule": RULE, **resources},
    }


class Deployment:
    """Templates applied to one stack, and what was said meanwhile."""

    def __init__(self, account: Account, folder: Path) -> None:
        self.account = account
        self.said: list[str] = []
        self.stack = Stack(account.stack, self.said.append)
        self._file = folder / "template.json"

    def apply(self, what: dict[str, Any], **values: str) -> bool:
        self._file.write_text(json.dumps(what))
        url = code.url(self.account, code.upload(self.account, self._file))
        return self.stack.apply(url, what, values)


@pytest.fixture
def account(aws: str, monkeypatch: pytest.MonkeyPatch) -> Account:
    # Moto reads a template from S3 only by this name of the machine.
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.replace("127.0.0.1", "localhost"))
    monkeypatch.setenv("no_proxy", "localhost,127.0.0.1")
    monkeypatch.setattr(cloudformation, "PAUSE", 0.01)
    auth.forget()
    return Account.current("dev")


@pytest.fixture
def deployment(account: Account, tmp_path: Path) -> Deployment:
    return Deployment(account, tmp_path)


@pytest.fixture
def build(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `make package` leaves, for a service that has a configuration and a database."""
    built = template(Job={"Type": "AWS::SNS::Topic", "Properties": {"Runtime": "python3.13"}})
    for parameter in ("CodeBucket", "CodeKey"):
        built["Parameters"][parameter] = {"Type": "String"}
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "template.json").write_text(json.dumps(built))
    (tmp_path / "dev" / "deployment.zip").write_bytes(b"zip")
    (tmp_path / "config.yaml").write_text(CONFIG)
    monkeypatch.setenv("ELT_SERVICE_URL", "postgresql://a:canary@db/x")
    # Moto keeps no outputs of a change set.
    monkeypatch.setattr(Stack, "outputs", lambda _: {"EndpointURL": "https://api.test/api/"})
    monkeypatch.setattr(service, "call", lambda *_: Answer(200, {"configs": [{"version": 1}]}))
    return tmp_path


def test_the_printed_address_takes_a_path(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deploy.deploy("dev", {}, build, build / "config.yaml")
    assert "API       https://api.test/api\n" in capsys.readouterr().out


def test_a_first_deployment_makes_the_stack_and_tells_what(deployment: Deployment) -> None:
    assert deployment.apply(template())
    assert deployment.stack.resource("Rule") == "elt-pipeline-dev-tick"
    assert any("Add      Rule (AWS::Events::Rule)" in line for line in deployment.said)


def test_a_redeploy_leaves_the_live_schedule_as_it_is(deployment: Deployment) -> None:
    deployment.apply(template())
    boto3.client("events").put_rule(
        Name="elt-pipeline-dev-tick", ScheduleExpression="rate(5 minutes)", State="ENABLED"
    )
    with deployment.account.environment():
        deployment.apply(template(Topic=TOPIC), **deploy.live_schedule())
        now = schedule.state()
    assert (now.rate, now.enabled) == ("rate(5 minutes)", True)
    assert boto3.client("sns").list_topics()["Topics"]


def test_without_a_rule_the_schedule_is_what_the_template_says(account: Account) -> None:
    with account.environment():
        assert deploy.live_schedule() == {}


def test_a_parameter_that_is_not_given_keeps_its_value(deployment: Deployment) -> None:
    deployment.apply(template(), AlarmEmail="kept")
    deployment.apply(template(Topic=TOPIC))
    (topic,) = boto3.client("sns").list_topics()["Topics"]
    assert topic["TopicArn"].endswith(":kept")


def test_a_stack_that_is_not_there_says_how_to_make_it(account: Account) -> None:
    with pytest.raises(EltError, match="Say make deploy first"):
        Stack(account.stack).outputs()


def test_a_deleted_stack_is_gone(deployment: Deployment) -> None:
    deployment.apply(template())
    deployment.stack.delete()
    assert deployment.stack.find() is None


def test_the_same_package_is_uploaded_once_and_is_private(account: Account, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"same")
    (tmp_path / "b.zip").write_bytes(b"same")
    first = code.upload(account, tmp_path / "a.zip")
    assert first == code.upload(account, tmp_path / "b.zip")
    block = boto3.client("s3").get_public_access_block(Bucket=account.code_bucket)
    assert set(block["PublicAccessBlockConfiguration"].values()) == {True}


def test_only_the_packages_of_the_stage_are_removed(account: Account, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"a")
    code.upload(account, tmp_path / "a.zip")
    other = Account("prod", account.number, account.region)
    kept = code.upload(other, tmp_path / "a.zip")
    code.empty(account.code_bucket, "dev/")
    (left,) = boto3.client("s3").list_objects_v2(Bucket=account.code_bucket)["Contents"]
    assert left["Key"] == kept


def test_the_databases_url_is_stored_once_and_never_said(
    account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with account.environment():
        monkeypatch.setenv("ELT_SERVICE_URL", "postgresql://a:canary@db/x")
        deploy.keep_database_url()
        monkeypatch.setenv("ELT_SERVICE_URL", "postgresql://b:other@db/x")
        deploy.keep_database_url()
        assert service_store().get("database-url") == "postgresql://a:canary@db/x"
    said = "".join(capsys.readouterr())
    assert "put-secret-value --secret-id elt/dev/service/database-url" in said
    assert "canary" not in said
    assert "other@" not in said
    stored = boto3.client("secretsmanager").list_secrets()["SecretList"]
    assert [secret["Name"] for secret in stored] == ["elt/dev/service/database-url"]


def test_what_is_no_databases_url_is_not_stored(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELT_SERVICE_URL", "mysql://a:canary@db/x")
    with account.environment(), pytest.raises(AddressError) as refusal:
        deploy.keep_database_url()
    assert "canary" not in str(refusal.value)


def test_without_a_terminal_a_missing_url_is_asked_for_by_name(account: Account) -> None:
    with account.environment(), pytest.raises(EltError, match=r"ELT_SERVICE_URL.*postgresql://"):
        deploy.keep_database_url()


def test_the_first_token_is_made_and_shown_once(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    with account.environment():
        deploy.first_token()
        token = capsys.readouterr().out.split()[1]
        identity = auth.role_of(token)
        deploy.first_token()
    assert identity is not None
    assert identity.role == "admin"
    assert capsys.readouterr().out == ""


def test_nothing_is_destroyed_without_saying_the_stage_again(account: Account) -> None:
    with pytest.raises(UsageError, match="CONFIRM=dev"):
        deploy.destroy("dev", "prod")


def test_destroy_deletes_the_stack_and_empties_its_bucket(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "output"}}
    deployment.apply(template(Output=bucket))
    s3 = boto3.client("s3")
    s3.put_object(Bucket="output", Key="runs/1/combined.csv", Body=b"x")
    deploy.destroy("dev", "dev")
    assert [known["Name"] for known in s3.list_buckets()["Buckets"]] == [
        deployment.account.code_bucket
    ]
    said = capsys.readouterr().out
    assert "the secrets below elt/dev/" in said
    assert deployment.account.code_bucket in said


def test_destroying_what_is_not_there_is_no_failure(account: Account) -> None:
    deploy.destroy("dev", "dev")


def test_a_package_that_lambda_cannot_run_is_not_deployed(
    tmp_path: Path, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dev").mkdir()
    job = {"Resources": {"Job": {"Properties": {"Runtime": "python3.11"}}}}
    (tmp_path / "dev" / "template.json").write_text(json.dumps(job))
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with pytest.raises(EltError, match=r"Install Python 3\.13"):
        deploy.deploy("dev", {}, tmp_path)


def test_deploying_needs_a_package(tmp_path: Path) -> None:
    with pytest.raises(EltError, match="make package STAGE=dev"):
        deploy.deploy("dev", {}, tmp_path)


def test_earlier_packages_go_once_another_is_deployed(build: Path, account: Account) -> None:
    deploy.deploy("dev", {}, build, build / "config.yaml")
    (build / "dev" / "deployment.zip").write_bytes(b"another")
    deploy.deploy("dev", {}, build, build / "config.yaml")
    kept = boto3.client("s3").list_objects_v2(Bucket=account.code_bucket)["Contents"]
    assert sorted(Path(one["Key"]).suffix for one in kept) == [".json", ".zip"]


def test_who_is_told_of_alarms_is_said(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deploy.deploy("dev", {"AlarmEmail": ""}, build, build / "config.yaml")
    assert "Nobody is told of alarms" in capsys.readouterr().out
    deploy.deploy("dev", {"AlarmEmail": "a@example.com"}, build, build / "config.yaml")
    assert "alarms" not in capsys.readouterr().out


def test_a_configuration_that_could_not_be_stored_is_refused_before_anything_is_made(
    build: Path, account: Account
) -> None:
    (build / "config.yaml").write_text(CONFIG.replace("data", '"${env:ELT_SAMPLE}"'))
    with pytest.raises(EltError, match=r"ELT_SAMPLE.*\.chalice/config\.json"):
        deploy.deploy("dev", {}, build, build / "config.yaml")
    assert Stack(account.stack).find() is None


def test_a_mistyped_parameter_changes_nothing(build: Path, account: Account) -> None:
    with pytest.raises(UsageError, match="no parameter AlarmMail"):
        deploy.deploy("dev", {"AlarmMail": "a"}, build)
    with account.environment():
        assert service_store().get("database-url") is None


def test_what_can_be_refused_is_refused_before_anything_is_packaged(
    account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(__main__, "package", lambda _: pytest.fail("it was packaged"))
    assert __main__.main(["deploy", "--stage", "dev", "--parameters", "A=b"]) == 2
    monkeypatch.setenv("AWS_PROFILE", "mistyped")
    assert __main__.main(["deploy", "--stage", "dev"]) != 0
    assert "(mistyped) could not be found. Set AWS_PROFILE" in capsys.readouterr().err


def test_before_a_deployment_the_doctor_says_what_to_do_first(account: Account) -> None:
    with pytest.raises(EltError, match=r"nothing is deployed. Say make deploy STAGE=dev first"):
        service.invoke("dev", "doctor", {})


def test_without_a_region_it_says_what_to_set(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(EltError, match=r"no region is set.*AWS_DEFAULT_REGION"):
        Account.current("dev")


def test_without_credentials_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with pytest.raises(EltError, match=r"no AWS credentials were found.*AWS_PROFILE"):
        Account.current("dev")
