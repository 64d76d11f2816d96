from __future__ import annotations

import pytest

from chalicelib.config.literals import refuse_literal_secrets
from chalicelib.errors import ConfigError

GOOD = """
sources:
  - type: api
    url: http://a/b
    auth: {type: bearer, token: "${secret:orders}"}
target: {table: t, password: "${env:ELT_PASSWORD}"}
"""


def test_references_are_fine() -> None:
    refuse_literal_secrets(GOOD, "config.yaml")


@pytest.mark.parametrize(
    ("reference", "place"),
    [
        ("${secret:orders}", "line 5: sources[0].auth.token"),
        ("${env:ELT_PASSWORD}", "line 6: target.password"),
    ],
)
def test_a_secret_that_is_written_out_is_named_and_not_shown(reference: str, place: str) -> None:
    with pytest.raises(ConfigError) as refused:
        refuse_literal_secrets(GOOD.replace(reference, "canary"), "config.yaml")
    assert place in str(refused.value)
    assert "canary" not in str(refused.value)


def test_a_default_is_written_out_too() -> None:
    with pytest.raises(ConfigError):
        refuse_literal_secrets(GOOD.replace("ELT_PASSWORD", "ELT_PASSWORD:-canary"), "config.yaml")


def test_a_secret_reference_is_resolved_where_secrets_belong() -> None:
    from chalicelib.config import parse_config

    stored = {"orders": "t0ken"}
    config = parse_config(GOOD, {"ELT_PASSWORD": "x"}, secrets=lambda _, name: stored.get(name))
    assert config.sources[0].auth.token.get_secret_value() == "t0ken"  # type: ignore[union-attr]
    with pytest.raises(ConfigError, match="there is no secret 'orders'"):
        parse_config(GOOD, {"ELT_PASSWORD": "x"}, secrets=lambda *_: None)
    with pytest.raises(ConfigError, match="can stand only under auth, headers and target"):
        parse_config(GOOD.replace("http://a/b", "http://${secret:orders}/b"), {})
