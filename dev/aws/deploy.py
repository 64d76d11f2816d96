"""The package of a stage into the account of the environment, and what is needed once beside it."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from chalicelib import auth, schedule, secrets, settings
from chalicelib.config import parse_config
from chalicelib.database.address import SECRET_NAME, service_address
from chalicelib.errors import ConfigError, EltError, UsageError
from chalicelib.secrets import service_store
from dev.aws import code, service
from dev.aws.account import Account
from dev.aws.cloudformation import Stack
from dev.aws.package import BUILD, ROOT
from dev.aws.parameters import check_parameters
from dev.aws.runtime import PREFERRED

CONFIG = ROOT / "config.yaml"
CREATED = 201
UNUSABLE = (
    "The first deployment stores this file, so write your sources and target there. Variables for "
    "${env:…} are environment_variables of the stage in .chalice/config.json."
)
REPLACE = (
    "aws secretsmanager put-secret-value --secret-id elt/{stage}/service/{name} "
    '--secret-string "$ELT_SERVICE_URL"'
)


def deploy(
    stage: str, parameters: Mapping[str, str], build: Path = BUILD, config: Path = CONFIG
) -> None:
    """Apply what `make package` built, tell what changed, and where the API is.

    What a person or the API has changed meanwhile stays: rate and state of the schedule, versions,
    tokens, and parameters that are not given. The first time it stores the database's URL, makes
    an admin token and uploads `config`. Raises EltError.
    """
    folder = build / stage
    template = _template(folder)
    check_parameters(parameters, template["Parameters"])
    account = Account.current(stage)
    print(f"Stage {stage} in account {account.number}, {account.region}")
    with account.environment():
        stack = Stack(account.stack)
        if stack.find() is None:
            _refuse_unusable(config, template)
        keep_database_url()
        key = code.upload(account, folder / "deployment.zip")
        template_key = code.upload(account, folder / "template.json")
        own = {"CodeBucket": account.code_bucket, "CodeKey": key}
        values = {**live_schedule(), **parameters, **own}
        stack.apply(code.url(account, template_key), template, values)
        code.forget_others(account, {key, template_key})
        if not stack.parameters().get("AlarmEmail"):
            print('Nobody is told of alarms: PARAMETERS="AlarmEmail=you@example.com" says who is.')
        print(f"API       {stack.outputs()['EndpointURL'].rstrip('/')}")
        first_token()
        _first_version(stage, config)


def destroy(stage: str, confirmed: str) -> None:
    """Delete what `deploy` made, and tell what stays. Raises EltError."""
    account = Account.current(stage)
    if confirmed != stage:
        raise UsageError(
            f"this deletes the API, the functions, the logs and the runs' files of stage {stage} "
            f"in account {account.number}, {account.region}",
            fix=f"If that is meant: make destroy STAGE={stage} CONFIRM={stage}",
        )
    stack = Stack(account.stack)
    if stack.find():
        if bucket := stack.resource("Output"):
            code.empty(bucket)
        stack.delete()
    code.empty(account.code_bucket, f"{stage}/")
    print(
        f"Deleted. What stays: the database, the secrets below elt/{stage}/, and the bucket "
        f"{account.code_bucket}, which has the packages of other stages."
    )


def _template(folder: Path) -> dict[str, Any]:
    try:
        template: dict[str, Any] = json.loads((folder / "template.json").read_text())
    except FileNotFoundError:
        fix = f"Say make package STAGE={folder.name} first."
        raise EltError("there is no package", where=str(folder), fix=fix) from None
    runtime = template["Resources"]["Job"]["Properties"]["Runtime"]
    emulated = "AWS_ENDPOINT_URL" in os.environ
    if runtime.removeprefix("python") not in PREFERRED and not emulated:
        raise EltError(
            f"Lambda's {runtime} cannot load the wheels of pyarrow, which need a newer Linux",
            where="package",
            fix=f"Install Python {' or '.join(PREFERRED)} beside this one and package again.",
        )
    return template


def _refuse_unusable(config: Path, template: Mapping[str, Any]) -> None:
    """Name the mistakes of what is to be version 1 before minutes are spent. Raises EltError."""
    known = template["Resources"]["Job"]["Properties"].get("Environment", {}).get("Variables", {})
    variables = {name: value for name, value in known.items() if isinstance(value, str)}
    try:
        parse_config(config.read_text(), variables, config.name, secrets.lookup)
    except ConfigError as error:
        raise EltError(str(error), fix=UNUSABLE) from None


def keep_database_url() -> None:
    """Store the URL in Secrets Manager, unless it is there: no template and no log shows it.

    One that is there stays: the variable may be that of another stage, or of a laptop.
    """
    store, given = service_store(), os.environ.get("ELT_SERVICE_URL")
    kept = store.get(SECRET_NAME)
    if kept is not None:
        if given and given != kept:
            print("ELT_SERVICE_URL is another database than the stored one, which stays.")
            print(f"To replace that: {REPLACE.format(stage=settings.stage(), name=SECRET_NAME)}")
        return
    given = given or _asked()
    with patch.dict(os.environ, {"ELT_SERVICE_URL": given}):
        service_address()
    store.put(SECRET_NAME, given)
    print(f"The database's URL is kept as the secret {SECRET_NAME} of the service.")


def _asked() -> str:
    if not sys.stdin.isatty():
        raise EltError(
            "nobody said where the database is",
            where="ELT_SERVICE_URL",
            fix="Set it to postgresql://user:password@host:5432/database; it is needed once.",
        )
    return getpass.getpass("Database (postgresql://user:password@host:5432/database): ").strip()


def live_schedule() -> dict[str, str]:
    """The rule as it is now, for the template to say the same; empty when there is none."""
    now = schedule.state()
    if now.rate is None:
        return {}
    return {"ScheduleRate": now.rate, "ScheduleState": "ENABLED" if now.enabled else "DISABLED"}


def first_token() -> None:
    """Make an admin token when there is no token at all, and print it."""
    if not auth.tokens():
        token = auth.make_token("admin", "first admin")
        print(f"token     {token}   (admin; it is shown this once)")


def _first_version(stage: str, config: Path) -> None:
    """Upload the configuration when there is no version yet. Raises EltError with its mistakes."""
    history = service.call(stage, "GET", "/configs")
    if history.body.get("configs"):
        return
    _refuse_failure(history.status == 200, history.body, config)
    text = config.read_text()
    stored = service.call(stage, "POST", "/upload-config", text, "text/yaml")
    _refuse_failure(stored.status == CREATED, stored.body, config)
    print(f"{config.name} is version 1 of the configuration.")


def _refuse_failure(done: bool, body: Any, config: Path) -> None:
    if not done:
        error = body["error"]
        raise EltError(
            "\n  ".join([error["message"], *error["details"]]),
            where=f"the service is deployed, but {config.name} could not be stored",
            fix="Mend that, then say make deploy again; or upload a configuration.",
        )
