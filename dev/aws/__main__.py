"""`python -m dev.aws package|deploy|destroy|doctor --stage dev`, as make says it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from chalicelib.errors import EltError
from dev.aws.account import Account
from dev.aws.deploy import deploy, destroy
from dev.aws.doctor import LOCAL, doctor
from dev.aws.package import package
from dev.aws.parameters import check_parameters, parse_parameters
from dev.aws.template import parameters

STAGES = ("dev", "prod")
"""Those of .chalice/config.json."""


def main(arguments: Sequence[str]) -> int:
    """Carry out one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        done = options.command(options)
    except EltError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 1 if done is False else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dev.aws", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    subs = {name: commands.add_parser(name) for name in ("package", "deploy", "destroy", "doctor")}
    for name, sub in subs.items():
        stages = (*STAGES, LOCAL) if name == "doctor" else STAGES
        sub.add_argument("--stage", required=True, choices=stages)
    subs["deploy"].add_argument("--parameters", default="", help="Name=value … of the template")
    subs["destroy"].add_argument("--confirm", default="", help="the stage once more")
    subs["package"].set_defaults(command=lambda given: package(given.stage))
    subs["deploy"].set_defaults(command=lambda given: _deploy(given.stage, given.parameters))
    subs["destroy"].set_defaults(command=lambda given: destroy(given.stage, given.confirm))
    subs["doctor"].set_defaults(command=lambda given: doctor(given.stage))
    return parser


def _deploy(stage: str, text: str) -> None:
    """Packaging takes a minute: what can be refused without a package is refused before."""
    given = parse_parameters(text)
    check_parameters(given, parameters(stage))
    Account.current(stage)
    package(stage)
    deploy(stage, given)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
