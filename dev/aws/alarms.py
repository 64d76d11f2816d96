"""Logs, what is counted in them, and who is told when something is wrong."""

from __future__ import annotations

from typing import Any

from dev.aws.names import APP, FUNCTIONS, arn, function_name, machine_name, stack_name

Template = dict[str, Any]

RETENTION_DAYS = 90
HOUR, QUARTER = 3600, 900
PATIENCE = 3
"""Hours without a success until somebody is told."""

COUNTED = {"succeeded": "RunsSucceeded", "failed": "RunsFailed"}
"""The state that a run ended in, and the metric that counts it."""

ENDINGS = ("Job", "Finish")
"""The functions in which runs end."""

WATCHED = ("APIHandler", "Authorizer", "Tick", "Job")
"""The functions whose errors and throttles somebody is told of."""


def log_groups(stage: str) -> Template:
    """A log group for each function: one that Lambda makes itself is kept for ever."""
    return {f"{name}Logs": _log_group(stage, function) for name, function in FUNCTIONS.items()}


def _log_group(stage: str, function: str) -> Template:
    return {
        "Type": "AWS::Logs::LogGroup",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "LogGroupName": f"/aws/lambda/{function_name(stage, function)}",
            "RetentionInDays": RETENTION_DAYS,
        },
    }


def alarms(stage: str) -> Template:
    """The topic, the metrics made of log lines, and the alarms."""
    filters = {
        f"Count{metric}In{function}": _filter(stage, function, state, metric)
        for function in ENDINGS
        for state, metric in COUNTED.items()
    }
    watched = {
        f"{name}{metric}": _function_alarm(stage, FUNCTIONS[name], metric)
        for name in WATCHED
        for metric in ("Errors", "Throttles")
    }
    return {
        **_topic(stage),
        **filters,
        **watched,
        "RunFailed": _run_failed(stage),
        "FanoutFailed": _fanout_failed(stage),
        "NoSuccess": _no_success(stage),
        "UndoneWaiting": _undone_waiting(stage),
    }


def _topic(stage: str) -> Template:
    return {
        "Alarms": {
            "Type": "AWS::SNS::Topic",
            "Properties": {"TopicName": f"{stack_name(stage)}-alarms"},
        },
        "AlarmsByEmail": {
            "Type": "AWS::SNS::Subscription",
            "Condition": "HasEmail",
            "Properties": {
                "Protocol": "email",
                "Endpoint": {"Ref": "AlarmEmail"},
                "TopicArn": {"Ref": "Alarms"},
            },
        },
    }


def _namespace(stage: str) -> str:
    return f"{APP}/{stage}"


def _filter(stage: str, function: str, state: str, metric: str) -> Template:
    return {
        "Type": "AWS::Logs::MetricFilter",
        "Properties": {
            "LogGroupName": {"Ref": f"{function}Logs"},
            "FilterPattern": f'{{ $.message = "run ended" && $.state = "{state}" }}',
            "MetricTransformations": [
                {
                    "MetricNamespace": _namespace(stage),
                    "MetricName": metric,
                    "MetricValue": "1",
                    "DefaultValue": 0,
                }
            ],
        },
    }


def _alarm(stage: str, name: str, why: str, **properties: Any) -> Template:
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": f"{stack_name(stage)}-{name}",
            "AlarmDescription": f"{why} What to do: dev/aws/OPERATIONS.md, {name}.",
            "AlarmActions": [{"Ref": "Alarms"}],
            "OKActions": [{"Ref": "Alarms"}],
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            **properties,
        },
    }


def _metric(namespace: str, name: str, period: int, **dimensions: Any) -> Template:
    given = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    return {
        "Metric": {"Namespace": namespace, "MetricName": name, "Dimensions": given},
        "Period": period,
        "Stat": "Sum",
    }


def _simple(namespace: str, name: str, period: int, **dimensions: Any) -> Template:
    """The properties of an alarm on one metric."""
    known = _metric(namespace, name, period, **dimensions)
    return {**known["Metric"], "Period": period, "Statistic": "Sum"}


def _function_alarm(stage: str, function: str, metric: str) -> Template:
    name = function_name(stage, function)
    kind = {"Errors": "failed", "Throttles": "was throttled"}[metric]
    measured = _simple("AWS/Lambda", metric, QUARTER, FunctionName=name)
    return _alarm(
        stage, f"{function}-{metric.lower()}", f"The {function} function {kind}.", **measured
    )


def _run_failed(stage: str) -> Template:
    measured = _simple(_namespace(stage), "RunsFailed", QUARTER)
    return _alarm(stage, "run-failed", "A run failed.", **measured)


def _fanout_failed(stage: str) -> Template:
    """Its last state records how the run ended; only when that broke does the execution fail."""
    machine = arn("states", f"stateMachine:{machine_name(stage)}")
    measured = _simple("AWS/States", "ExecutionsFailed", QUARTER, StateMachineArn=machine)
    return _alarm(stage, "fanout-failed", "A large run has no recorded end.", **measured)


def _no_success(stage: str) -> Template:
    """Only while the schedule fires: a tick in each hour, and no run succeeded in any.

    Hour by hour, as ticks that come soon after another, or are tried again, say nothing of time.
    """
    tick = function_name(stage, "tick")
    ticks = _metric("AWS/Lambda", "Invocations", HOUR, FunctionName=tick)
    succeeded = _metric(_namespace(stage), "RunsSucceeded", HOUR)
    expression = "IF(FILL(ticks, 0) >= 1 AND FILL(succeeded, 0) < 1, 1, 0)"
    metrics = [
        {"Id": "silent", "Expression": expression, "Label": "No run succeeded"},
        {"Id": "ticks", "MetricStat": ticks, "ReturnData": False},
        {"Id": "succeeded", "MetricStat": succeeded, "ReturnData": False},
    ]
    return _alarm(
        stage,
        "no-success",
        "No run succeeded for three hours.",
        Metrics=metrics,
        EvaluationPeriods=PATIENCE,
    )


def _undone_waiting(stage: str) -> Template:
    queue = {"Fn::GetAtt": ["Undone", "QueueName"]}
    measured = _simple("AWS/SQS", "ApproximateNumberOfMessagesVisible", 300, QueueName=queue)
    measured["Statistic"] = "Maximum"
    return _alarm(stage, "undone", "An invocation failed for good.", **measured)
