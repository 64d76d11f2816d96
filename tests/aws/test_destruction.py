"""The end of a deployment: by its name, this comes after the tests that use it."""

from __future__ import annotations

import pytest

from tests.aws.conftest import Shop
from tests.aws.service import STACK, Api, Deployment


def test_what_was_deployed_goes_and_rows_and_secrets_stay(
    deployment: Deployment, admin: Api, shop: Shop
) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n")
    admin.upload(shop.config)
    admin.watch(admin.trigger())
    assert "What stays" in deployment.destroy()
    clouds = deployment.aws.client("cloudformation")
    with pytest.raises(clouds.exceptions.ClientError, match="does not exist"):
        clouds.describe_stacks(StackName=STACK)
    functions = deployment.aws.client("lambda").list_functions()["Functions"]
    assert [one for one in functions if one["FunctionName"].startswith(STACK)] == []
    machines = deployment.aws.client("stepfunctions").list_state_machines()["stateMachines"]
    assert machines == []
    secrets = deployment.aws.client("secretsmanager").list_secrets()["SecretList"]
    assert {"elt/dev/service/database-url", "elt/dev/service/tokens"} <= {
        secret["Name"] for secret in secrets
    }
    assert shop.rows == [(1, "Ada")]
