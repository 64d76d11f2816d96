"""The whole template, as Chalice and we make it: correct, and each role by least privilege."""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chalicelib.fanout import MANIFEST_PARTS
from chalicelib.routes.answers import ERRORS
from dev.aws import package
from dev.aws.fanout import FUNCTION_SECONDS
from dev.aws.package import chalice_package
from dev.aws.runtime import script

ACCOUNT = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "123456789012",
    "Output.Arn": "arn:aws:s3:::output",
    "Undone.Arn": "arn:aws:sqs:eu-central-1:123456789012:undone",
    "Part.Arn": "arn:aws:lambda:eu-central-1:123456789012:function:elt-pipeline-dev-part",
    "Finish.Arn": "arn:aws:lambda:eu-central-1:123456789012:function:elt-pipeline-dev-finish",
    "Stage": "dev",
}
WITHOUT_RESOURCES = {"events:ListRuleNamesByTarget"}
"""Actions for which AWS has no resource to name."""

FUNCTION_ROLES = (
    "ApiHandlerRole", "AuthorizerRole", "TickRole", "JobRole", "PartRole", "FinishRole",
    "DoctorRole",
)  # fmt: skip
ROLES = (*FUNCTION_ROLES, "FanoutRole")
DATABASE_ROLES = tuple(role for role in FUNCTION_ROLES if role != "AuthorizerRole")


@pytest.fixture(scope="module", params=["dev", "prod"])
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return chalice_package(request.param, "python3.13", tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return chalice_package("dev", "python3.13", tmp_path_factory.mktemp("package"))


def test_cfn_lint_finds_nothing(template: Any, tmp_path: Path) -> None:
    assert _linted(json.dumps(template), tmp_path) == ""


def test_cfn_lint_would_find_something(dev: Any, tmp_path: Path) -> None:
    broken = json.dumps(dev).replace('"AlarmEmail"}', '"AlarmMail"}')
    assert "AlarmMail" in _linted(broken, tmp_path)


def test_what_lies_in_vendor_is_packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("chalicelib", ".chalice"):
        shutil.copytree(package.ROOT / name, tmp_path / name)
    shutil.copy(package.ROOT / "app.py", tmp_path)
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "rds.pem").write_text("certificates")
    monkeypatch.setattr(package, "ROOT", tmp_path)
    chalice_package("dev", "python3.13", tmp_path / "package")
    with zipfile.ZipFile(tmp_path / "package" / "chalice" / "deployment.zip") as service:
        assert "rds.pem" in service.namelist()


def test_each_function_has_a_name_memory_time_and_a_role_of_its_own(template: Any) -> None:
    functions = _of_type(template, "AWS::Serverless::Function")
    stage = template["Parameters"]["Stage"]["Default"]
    assert len({str(function["Role"]) for function in functions.values()}) == len(functions) == 7
    for function in functions.values():
        assert function["FunctionName"].startswith(f"elt-pipeline-{stage}-")
        assert function["MemorySize"] >= 512
        assert function["Environment"]["Variables"]["ELT_STAGE"] == stage
    assert functions["APIHandler"]["Timeout"] == 29  # as long as API Gateway waits
    for name in ("Job", "Part"):
        assert functions[name]["Timeout"] == 900
        assert functions[name]["EphemeralStorage"] == {"Size": 10240}
    for name in ("Part", "Finish"):
        assert functions[name]["Timeout"] == FUNCTION_SECONDS


def test_no_template_holds_the_address_of_a_database(template: Any) -> None:
    assert "postgresql:" not in json.dumps(template)
    assert "ELT_TARGET_URL" not in json.dumps(template)


def test_every_log_group_ends_with_time(template: Any) -> None:
    names = {group["LogGroupName"] for group in _of_type(template, "AWS::Logs::LogGroup").values()}
    functions = _of_type(template, "AWS::Serverless::Function").values()
    assert names == {f"/aws/lambda/{function['FunctionName']}" for function in functions}
    for group in _of_type(template, "AWS::Logs::LogGroup").values():
        assert group["RetentionInDays"] <= 90


def test_whoever_is_alarmed_finds_what_to_do(template: Any) -> None:
    runbook = (Path(__file__).parents[3] / "dev" / "aws" / "OPERATIONS.md").read_text()
    alarms = _of_type(template, "AWS::CloudWatch::Alarm").values()
    assert len(alarms) == 12
    for alarm in alarms:
        name = alarm["AlarmName"].split("-", 3)[3]
        assert f"### {name}\n" in runbook
        assert alarm["AlarmActions"] == [{"Ref": "Alarms"}]


def test_three_hours_must_pass_without_a_success_however_often_the_schedule_fires(dev: Any) -> None:
    alarm = dev["Resources"]["NoSuccess"]["Properties"]
    periods = {one["MetricStat"]["Period"] for one in alarm["Metrics"] if "MetricStat" in one}
    assert (periods, alarm["EvaluationPeriods"]) == ({3600}, 3)


def test_somebody_is_told_of_the_errors_of_each_function_that_callers_need(dev: Any) -> None:
    alarms = _of_type(dev, "AWS::CloudWatch::Alarm").values()
    errors = [alarm for alarm in alarms if alarm.get("MetricName") == "Errors"]
    watched = {
        alarm["Dimensions"][0]["Value"].removeprefix("elt-pipeline-dev-") for alarm in errors
    }
    assert watched == {"api", "authorizer", "tick", "job"}


def test_the_api_has_no_public_stage_besides_its_own(template: Any) -> None:
    """SAM adds one, called Stage, to an API of any other version."""
    api = template["Resources"]["RestAPI"]["Properties"]
    assert (api["StageName"], api["OpenApiVersion"]) == ("api", "2.0")


def test_what_the_gateway_refuses_has_our_shape_and_cors(dev: Any) -> None:
    responses = _gateway_responses(dev)
    for kind, response in responses.items():
        text = response["responseTemplates"]["application/json"]
        error = json.loads(text.replace("$context.error.messageString", '"own words"'))["error"]
        assert set(error) == {"code", "message", "details"}
        assert kind.startswith("DEFAULT") or ERRORS[error["code"]][0] == int(response["statusCode"])
        origin = response["responseParameters"][
            "gatewayresponse.header.Access-Control-Allow-Origin"
        ]
        assert origin == "'*'"
        for value in response["responseParameters"].values():
            assert re.fullmatch(r"'[^']*'|context\.requestId", value)
    assert responses["MISSING_AUTHENTICATION_TOKEN"]["statusCode"] == "404"
    assert responses["INTEGRATION_TIMEOUT"]["statusCode"] == "504"


def test_what_has_no_answer_of_its_own_keeps_the_gateways_status(dev: Any) -> None:
    for kind in ("DEFAULT_4XX", "DEFAULT_5XX"):
        assert "statusCode" not in _gateway_responses(dev)[kind]


def test_the_bucket_is_private_encrypted_and_cleans_up(dev: Any) -> None:
    bucket = dev["Resources"]["Output"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert (rule["Prefix"], rule["Status"]) == ("runs/", "Enabled")
    (denied,) = dev["Resources"]["OutputPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert denied["Effect"] == "Deny"
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_failed_invocations_reach_the_queue(dev: Any) -> None:
    for name in ("Tick", "Job"):
        failure = dev["Resources"][name]["Properties"]["EventInvokeConfig"]["DestinationConfig"]
        assert failure["OnFailure"]["Destination"] == {"Fn::GetAtt": ["Undone", "Arn"]}
        assert _allowed(dev, f"{name}Role", "sqs:SendMessage", ACCOUNT["Undone.Arn"])


@pytest.mark.parametrize("role", ROLES)
def test_a_role_names_what_it_may_do_and_to_what(dev: Any, role: str) -> None:
    for statement in _statements(dev, role):
        assert statement["Effect"] == "Allow"
        for action in _listed(statement["Action"]):
            assert re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action)
            if action in WITHOUT_RESOURCES:
                continue
            for resource in _listed(statement["Resource"]):
                assert resource != "*"
                assert "*" not in re.sub(r"[/:][^/:]*$", "", resource)
                assert not resource.endswith("elt/dev/*")


def test_no_statement_is_of_another_stage(template: Any) -> None:
    for role in ROLES:
        for statement in template["Resources"][role]["Properties"]["Policies"]:
            assert not re.search(r"elt(-pipeline-|/)(dev|prod|\*)", json.dumps(statement))


SECRETS = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:elt/dev/"
URL, TOKENS, KEY, USERS = (
    f"{SECRETS}{name}-AbC123"
    for name in ("service/database-url", "service/tokens", "service/naming-key", "user/a/b")
)
LAMBDA = "arn:aws:lambda:eu-central-1:123456789012:function:elt-pipeline-dev-"
STATES = "arn:aws:states:eu-central-1:123456789012:"
MACHINE = f"{STATES}stateMachine:elt-pipeline-dev-fanout"
EXECUTION = f"{STATES}execution:elt-pipeline-dev-fanout:20260101T000000000000-0000-1"
RULE = "arn:aws:events:eu-central-1:123456789012:rule/elt-pipeline-dev-tick"
SOURCE = "arn:aws:s3:::given"
SOURCE_KEY = "arn:aws:kms:eu-central-1:123456789012:key/given"
READ, CHANGE = "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"


@pytest.mark.parametrize(
    ("role", "action", "resource"),
    [
        *((role, READ, URL) for role in DATABASE_ROLES),
        *((role, READ, USERS) for role in DATABASE_ROLES),
        ("AuthorizerRole", READ, TOKENS),
        ("ApiHandlerRole", READ, KEY),
        ("ApiHandlerRole", CHANGE, KEY),
        ("ApiHandlerRole", "secretsmanager:CreateSecret", USERS),
        ("ApiHandlerRole", "secretsmanager:UpdateSecretVersionStage", USERS),
        ("ApiHandlerRole", "lambda:InvokeFunction", f"{LAMBDA}job"),
        ("ApiHandlerRole", "events:PutRule", RULE),
        ("ApiHandlerRole", "events:PutTargets", RULE),
        ("ApiHandlerRole", "events:ListTargetsByRule", RULE),
        ("ApiHandlerRole", "s3:GetObject", "arn:aws:s3:::output/runs/1/combined.csv"),
        ("ApiHandlerRole", "s3:PutObject", "arn:aws:s3:::output/runs/on-request/1/rejects.csv"),
        ("TickRole", "lambda:InvokeFunction", f"{LAMBDA}job"),
        ("TickRole", "events:DescribeRule", RULE),
        ("JobRole", "lambda:InvokeFunction", f"{LAMBDA}job"),
        ("JobRole", "states:StartExecution", MACHINE),
        ("ApiHandlerRole", "states:StopExecution", EXECUTION),
        ("FanoutRole", "lambda:InvokeFunction", f"{LAMBDA}part"),
        ("FanoutRole", "lambda:InvokeFunction", f"{LAMBDA}finish"),
        ("FanoutRole", "s3:GetObject", "arn:aws:s3:::output/runs/1/manifests/1-1.json"),
        ("FanoutRole", "states:StartExecution", MACHINE),
        ("FanoutRole", "states:StopExecution", EXECUTION.replace("-fanout:", "-fanout/Parts:")),
        ("FinishRole", "s3:PutObject", "arn:aws:s3:::output/runs/1/manifest.json"),
        *(
            (role, *right)
            for role in ("JobRole", "PartRole")
            for right in (
                ("s3:PutObject", "arn:aws:s3:::output/runs/1/combined.csv"),
                ("s3:ListBucket", SOURCE),
                ("s3:GetObject", f"{SOURCE}/orders/1.csv"),
                ("kms:Decrypt", SOURCE_KEY),
            )
        ),
        ("DoctorRole", "states:DescribeStateMachine", MACHINE),
        ("DoctorRole", "s3:ListBucket", SOURCE),
        ("DoctorRole", "lambda:InvokeFunction", f"{LAMBDA}job"),
        ("DoctorRole", "s3:ListBucket", "arn:aws:s3:::output"),
    ],
)
def test_a_role_may_do_what_its_function_does(
    dev: Any, role: str, action: str, resource: str
) -> None:
    assert _allowed(dev, role, action, resource)


@pytest.mark.parametrize(
    ("role", "action", "resource"),
    [
        *((role, READ, TOKENS) for role in (*DATABASE_ROLES, "FanoutRole")),
        *((role, CHANGE, TOKENS) for role in ROLES),
        *((role, CHANGE, URL) for role in ROLES),
        *((role, CHANGE, USERS) for role in ROLES if role != "ApiHandlerRole"),
        *((role, "s3:DeleteObject", f"{SOURCE}/a") for role in ROLES),
        *((role, "s3:PutObject", f"{SOURCE}/a") for role in ROLES),
        ("AuthorizerRole", READ, URL),
        ("AuthorizerRole", READ, USERS),
        ("JobRole", READ, USERS.replace("/dev/", "/prod/")),
        ("JobRole", "s3:GetObject", "arn:aws:s3:::another/a"),
        ("ApiHandlerRole", "s3:PutObject", "arn:aws:s3:::output/runs/1/combined.csv"),
        ("JobRole", "s3:GetObject", "arn:aws:s3:::output/runs/1/combined.csv"),
        ("JobRole", "events:DisableRule", RULE),
        ("PartRole", "states:StartExecution", MACHINE),
        ("PartRole", "lambda:InvokeFunction", f"{LAMBDA}part"),
        ("FinishRole", "s3:GetObject", f"{SOURCE}/a"),
        ("FinishRole", "s3:ListBucket", SOURCE),
        ("FanoutRole", READ, URL),
        ("FanoutRole", "lambda:InvokeFunction", f"{LAMBDA}job"),
        ("FanoutRole", "s3:GetObject", f"{SOURCE}/a"),
        ("FanoutRole", "s3:PutObject", "arn:aws:s3:::output/runs/1/a"),
        ("ApiHandlerRole", "states:StartExecution", MACHINE),
        ("DoctorRole", "s3:GetObject", f"{SOURCE}/a"),
        *((role, "events:ListTargetsByRule", RULE) for role in ROLES if role != "ApiHandlerRole"),
        ("ApiHandlerRole", "s3:GetObject", f"{SOURCE}/a"),
        ("ApiHandlerRole", "lambda:InvokeFunction", f"{LAMBDA}tick"),
    ],
)
def test_a_role_may_do_nothing_else(dev: Any, role: str, action: str, resource: str) -> None:
    assert not _allowed(dev, role, action, resource)


def test_a_part_that_fails_three_times_has_failed_and_throttling_is_no_failure(dev: Any) -> None:
    throttled, failed = _states(dev)["Parts"]["ItemProcessor"]["States"]["Part"]["Retry"]
    assert (failed["ErrorEquals"], failed["MaxAttempts"]) == (["States.ALL"], 2)
    assert throttled["ErrorEquals"] == ["Lambda.TooManyRequestsException"]


def test_the_end_of_a_large_run_is_recorded_whatever_became_of_its_parts(dev: Any) -> None:
    manifests = _machine(dev)["States"]["Manifests"]
    (catch,) = manifests["Catch"]
    assert (catch["ErrorEquals"], catch["Next"]) == (["States.ALL"], "Finish")
    assert manifests["Next"] == "Finish"


def test_the_results_of_a_map_stay_below_what_step_functions_keeps(dev: Any) -> None:
    part = _states(dev)["Parts"]["ItemProcessor"]["States"]["Part"]
    result = json.dumps(part["ResultSelector"])
    assert (len(result) + 1) * MANIFEST_PARTS < 256 * 1024


def test_the_rule_starts_nothing_but_the_tick(dev: Any) -> None:
    (aim,) = [s for s in _statements(dev, "ApiHandlerRole") if s["Sid"] == "AimTheRule"]
    assert aim["Condition"] == {"ArnEquals": {"events:TargetArn": f"{LAMBDA}tick"}}


@pytest.mark.parametrize("role", ["JobRole", "PartRole"])
def test_without_sources_nothing_is_allowed_for_them(dev: Any, role: str) -> None:
    conditional = [s for s in _policy(dev, role) if "Fn::If" in s]
    assert [s["Fn::If"][0] for s in conditional] == ["HasSources", "HasSources", "HasKeys"]


def test_without_a_vpc_nothing_is_allowed_for_it(dev: Any) -> None:
    resources = dev["Resources"]
    for role in FUNCTION_ROLES:
        (managed,) = resources[role]["Properties"]["ManagedPolicyArns"]
        condition, policy, otherwise = managed["Fn::If"]
        assert (condition, otherwise) == ("HasVpc", {"Ref": "AWS::NoValue"})
        assert policy["Fn::Sub"].endswith("/AWSLambdaENIManagementAccess")  # and no right to logs


def _linted(template: str, folder: Path) -> str:
    (folder / "template.json").write_text(template)
    command = [script("cfn-lint"), str(folder / "template.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (done.stdout == done.stderr == "")
    return done.stdout + done.stderr


def _machine(template: Any) -> Any:
    definition = template["Resources"]["Fanout"]["Properties"]["DefinitionString"]["Fn::Sub"]
    retries = str(template["Parameters"]["PartRetries"]["Default"])
    return json.loads(definition.replace("${PartRetries}", retries))


def _states(template: Any) -> Any:
    return _machine(template)["States"]["Manifests"]["ItemProcessor"]["States"]


def _gateway_responses(template: Any) -> dict[str, Any]:
    body = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    responses: dict[str, Any] = body["x-amazon-apigateway-gateway-responses"]
    return responses


def _of_type(template: Any, kind: str) -> dict[str, Any]:
    resources = template["Resources"].items()
    return {name: one["Properties"] for name, one in resources if one["Type"] == kind}


def _policy(template: Any, role: str) -> list[Any]:
    (policy,) = template["Resources"][role]["Properties"]["Policies"]
    statements: list[Any] = policy["PolicyDocument"]["Statement"]
    return statements


def _statements(template: Any, role: str) -> list[Any]:
    """Those of a role, as they are with the source bucket `given`."""
    return [_rendered(statement) for statement in _policy(template, role)]


def _rendered(value: Any) -> Any:
    """What CloudFormation makes of the functions that the policies use."""
    if isinstance(value, list):
        return [text for inner in value for text in _listed(_rendered(inner))]
    if not isinstance(value, dict):
        return value
    ((name, inner), *more) = value.items()
    if more or name not in FUNCTIONS:
        return {key: _rendered(inner) for key, inner in value.items()}
    return FUNCTIONS[name](inner)


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "Fn::If": lambda given: _rendered(given[1]),
    "Fn::Sub": lambda text: re.sub(r"\$\{([^}]+)\}", lambda found: ACCOUNT[found[1]], text),
    "Fn::GetAtt": lambda names: ACCOUNT[".".join(names)],
    "Fn::Split": lambda given: _rendered(given[1]).split(given[0]),
    "Fn::Join": lambda given: given[0].join(_listed(_rendered(given[1]))),
    "Ref": lambda name: {"SourceBuckets": [SOURCE], "SourceKeys": [SOURCE_KEY]}[name],
}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _allowed(template: Any, role: str, action: str, resource: str) -> bool:
    return any(
        action in _listed(statement["Action"])
        and any(fnmatch.fnmatchcase(resource, known) for known in _listed(statement["Resource"]))
        for statement in _statements(template, role)
    )
