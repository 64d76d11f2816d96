"""A template applied to a stack by a change set, told step by step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chalicelib.errors import EltError
from dev.aws.account import client, translated

PAUSE = 2.0
"""Seconds between two looks."""

NOTHING = ("didn't contain changes", "No updates are to be performed")
"""What CloudFormation says of a template that is applied already."""

STILLBORN = "ROLLBACK_COMPLETE"
"""A stack whose first creation failed: nothing is in it, and it can only be deleted."""

ONLY_PLANNED = "REVIEW_IN_PROGRESS"
"""A stack of which there is nothing but a change set."""

Template = Mapping[str, Any]


class Stack:
    """A CloudFormation stack by its name. What happens to it is told to `say`, line by line.

    Every method raises EltError when AWS refuses or cannot be reached.
    """

    def __init__(self, name: str, say: Callable[[str], None] = print) -> None:
        self._name = name
        self._where = f"stack {name}"
        self._say = say
        with translated(self._where):
            self._aws = client("cloudformation")

    def find(self) -> dict[str, Any] | None:
        """As CloudFormation describes it, None when it is not there."""
        with translated(self._where):
            try:
                found = self._describe(self._name)
            except self._aws.exceptions.ClientError as error:
                if "does not exist" in str(error):
                    return None
                raise
        return None if found["StackStatus"] == ONLY_PLANNED else found

    def outputs(self) -> dict[str, str]:
        """What it tells of itself. Raises EltError when it is not there."""
        found = self.find()
        if found is None:
            raise EltError("nothing is deployed", where=self._where, fix="Say make deploy first.")
        return {entry["OutputKey"]: entry["OutputValue"] for entry in found.get("Outputs", [])}

    def parameters(self) -> dict[str, str]:
        """What it was applied with; empty when it is not there."""
        given = (self.find() or {}).get("Parameters", [])
        return {entry["ParameterKey"]: entry["ParameterValue"] for entry in given}

    def resource(self, name: str) -> str | None:
        """What AWS calls a resource of the template, None when it was not made."""
        with translated(self._where):
            pages = self._aws.get_paginator("list_stack_resources").paginate(StackName=self._name)
            found = (one for page in pages for one in page["StackResourceSummaries"])
            return next(
                (r["PhysicalResourceId"] for r in found if r["LogicalResourceId"] == name), None
            )

    def apply(self, url: str, template: Template, values: Mapping[str, str]) -> bool:
        """Make it what the template, which lies at the URL, says; whether anything changed.

        Parameters without a value here keep the one they have. Raises EltError with the reasons
        after CloudFormation has rolled back what it had begun.
        """
        before = self._ready()
        parameters = self._parameters(template, before, values)
        with translated(self._where):
            change_set = self._plan(url, "UPDATE" if before else "CREATE", parameters)
            if change_set is None:
                self._say("Nothing to change.")
                return False
            for line in self._changes(change_set):
                self._say(f"  {line}")
            seen = self._event_ids(self._name)
            self._aws.execute_change_set(ChangeSetName=change_set)
            self._follow(self._name, seen)
        return True

    def delete(self) -> None:
        """Delete it with what is in it, to the end."""
        found = self.find()
        if found is None:
            return
        with translated(self._where):
            seen = self._event_ids(self._name)
            self._aws.delete_stack(StackName=self._name)
            self._follow(found["StackId"], seen)  # a deleted stack has no name any more

    def _ready(self) -> dict[str, Any] | None:
        """The stack to change, if there is one. Raises EltError when it cannot be changed now."""
        found = self.find()
        status = found["StackStatus"] if found else ""
        if status == STILLBORN:
            self._say("The first attempt failed and left an empty stack; it is deleted.")
            self.delete()
            return None
        if status.endswith("_IN_PROGRESS"):
            fix = "Wait until it has ended, then try again."
            raise EltError(f"somebody else changes it: {status}", where=self._where, fix=fix)
        if status.endswith("_FAILED"):
            fix = "Look at its events in the AWS console, and continue the rollback or delete it."
            raise EltError(f"it is stuck in {status}", where=self._where, fix=fix)
        return found

    def _parameters(
        self, template: Template, before: dict[str, Any] | None, values: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        declared = template.get("Parameters", {})
        known = {old["ParameterKey"] for old in (before or {}).get("Parameters", [])}
        kept = [key for key in declared if key in known and key not in values]
        return [
            *({"ParameterKey": key, "ParameterValue": value} for key, value in values.items()),
            *({"ParameterKey": key, "UsePreviousValue": True} for key in kept),
        ]

    def _plan(self, url: str, kind: str, parameters: list[dict[str, Any]]) -> str | None:
        """The change set's ARN once it is computed, None when there is nothing to change."""
        made = self._aws.create_change_set(
            StackName=self._name,
            ChangeSetName=f"deploy-{time.time_ns()}",
            ChangeSetType=kind,
            TemplateURL=url,
            Parameters=parameters,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        arn = str(made["Id"])
        while True:
            plan = self._aws.describe_change_set(ChangeSetName=arn)
            if plan["Status"] == "CREATE_COMPLETE":
                return arn
            if plan["Status"] == "FAILED":
                self._discard(arn, plan.get("StatusReason", "no reason is given"))
                return None
            time.sleep(PAUSE)

    def _discard(self, change_set: str, reason: str) -> None:
        """Remove an empty change set. Raises EltError for one that failed."""
        self._aws.delete_change_set(ChangeSetName=change_set)
        if not any(words in reason for words in NOTHING):
            raise EltError(f"it cannot be changed so: {reason.rstrip('.')}", where=self._where)

    def _changes(self, change_set: str) -> Iterator[str]:
        pages = self._aws.get_paginator("describe_change_set").paginate(ChangeSetName=change_set)
        return (_change(one["ResourceChange"]) for page in pages for one in page["Changes"])

    def _follow(self, stack: str, seen: set[str]) -> None:
        """Tell what happens until it has ended. Raises EltError when it has failed."""
        reasons: list[str] = []
        while True:
            status = self._describe(stack)["StackStatus"]
            for event in self._news(stack, seen):
                self._say(_event(event))
                if event["ResourceStatus"].endswith("_FAILED"):
                    reasons.append(_event(event))
            if not status.endswith("_IN_PROGRESS"):
                break
            time.sleep(PAUSE)
        if "ROLLBACK" in status or status.endswith("_FAILED"):
            why = "\n".join(reasons) or "no reason is given"
            raise EltError(f"it ended in {status}:\n{why}", where=self._where)

    def _describe(self, stack: str) -> dict[str, Any]:
        found: dict[str, Any] = self._aws.describe_stacks(StackName=stack)["Stacks"][0]
        return found

    def _events(self, stack: str) -> list[dict[str, Any]]:
        """Newest first."""
        pages = self._aws.get_paginator("describe_stack_events").paginate(StackName=stack)
        return [event for page in pages for event in page["StackEvents"]]

    def _event_ids(self, stack: str) -> set[str]:
        return {event["EventId"] for event in self._events(stack)}

    def _news(self, stack: str, seen: set[str]) -> list[dict[str, Any]]:
        """The events that were not seen, oldest first; from now on they are."""
        news = [event for event in reversed(self._events(stack)) if event["EventId"] not in seen]
        seen |= {event["EventId"] for event in news}
        return news


def _change(change: dict[str, Any]) -> str:
    """`Modify   Job (AWS::Lambda::Function): Code, MemorySize`."""
    action = "Replace" if change.get("Replacement") == "True" else change["Action"]
    targets = (detail.get("Target", {}).get("Name") for detail in change.get("Details", []))
    names = ", ".join(sorted({name for name in targets if name}))
    what = f"{action:8} {change['LogicalResourceId']} ({change['ResourceType']})"
    return f"{what}: {names}" if names else what


def _event(event: dict[str, Any]) -> str:
    line = f"  {event['ResourceStatus']:28} {event['LogicalResourceId']}"
    reason = event.get("ResourceStatusReason")
    return f"{line}: {reason}" if reason else line
