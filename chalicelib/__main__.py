"""The pipeline from a terminal: `python -m chalicelib run|replay|extract|check|schema`.

Exit codes: 0 done, 1 the run failed, 2 the configuration or the command is wrong.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalicelib import log
from chalicelib.config import Config, json_schema, load_config
from chalicelib.errors import EltError, OutOfMemory, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.reports import RunResult

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

PREVIEW_ROWS = 3

GATEWAY_KEEPS = 90
"""Seconds: API Gateway asks again after 60, and a function keeps tokens in memory for 30."""


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code; failures of the user's making go to stderr."""
    options = _parser().parse_args(arguments)
    log.configure(verbose=options.verbose or not sys.stderr.isatty())
    try:
        answer = options.command(options)
    except EltError as error:
        _fail(error, as_json=options.json)
        return error.exit_code
    except MemoryError:
        _fail(OutOfMemory(), as_json=options.json)
        return OutOfMemory.exit_code
    except Exception as bug:
        if not options.json:
            raise
        _fail(EltError(f"an unforeseen failure: {bug!r}", fix="Please report it."), as_json=True)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Run it again: nothing is loaded twice.", file=sys.stderr)
        return 1
    if options.json and answer is not None:
        print(json.dumps(answer, default=str, indent=2))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chalicelib", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_pipeline(commands)
    _add_service(commands)
    return parser


def _shared() -> argparse.ArgumentParser:
    """What all commands take that read a configuration."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--config",
        type=Path,
        default=Path("config.yaml"),
        metavar="FILE",
        help="default: config.yaml",
    )
    shared.add_argument("--json", action="store_true", help="answer in JSON on standard output")
    shared.add_argument("--verbose", action="store_true", help="log each event, not just warnings")
    return shared


def _add_pipeline(commands: Commands) -> None:
    shared = _shared()

    def add(name: str, command: Callable[..., object], purpose: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, parents=[shared], help=purpose, description=purpose)
        sub.set_defaults(command=command)
        return sub

    run = add("run", _run, "load what is new into the target")
    run.add_argument("--full", action="store_true", help="rebuild the table: read everything again")
    run.add_argument(
        "--parts",
        type=_count,
        default=1,
        metavar="N",
        help="read the files in N processes; the rows are published all at once",
    )
    replay = add("replay", _replay, "load what a run left in quarantine, as the schema is now")
    replay.add_argument("run_id", metavar="RUN", help="the run, as its report names it")
    extract = add("extract", _extract, "write the combined CSV, without a database")
    extract.add_argument("--output", type=Path, required=True, metavar="FILE")
    extract.add_argument("--raw", action="store_true", help="as extracted, not validated")
    add("check", _check, "check the configuration")
    add("schema", _schema, "print the configuration's JSON Schema, for editors")


def _add_service(commands: Commands) -> None:
    token = commands.add_parser("token", help="make, list or revoke bearer tokens of the service")
    token.add_argument("--role", default="operator", help="viewer, operator (default) or admin")
    token.add_argument("--name", default="laptop", help="whose it is; default: laptop")
    token.add_argument("--list", action="store_true", help="list whose tokens there are")
    token.add_argument("--revoke", action="store_true", help="end the token of that name")
    token.set_defaults(command=_token, json=False, verbose=False)
    secret = commands.add_parser("secret", help="store a secret, read from standard input")
    secret.add_argument("name", metavar="NAME", help="as in ${secret:NAME}")
    secret.set_defaults(command=_secret, json=False, verbose=False)


def _token(options: argparse.Namespace) -> None:
    from chalicelib import auth

    if options.list:
        for identity in auth.tokens():
            print(f"{identity.role:<9}{identity.name}")
    elif options.revoke:
        auth.revoke(options.name)
        print(f"Revoked. On AWS it may serve for {GATEWAY_KEEPS} seconds more.")
    else:
        print(auth.make_token(options.role, options.name))


def _secret(options: argparse.Namespace) -> None:
    from chalicelib import secrets

    secrets.user_store().put(options.name, sys.stdin.readline().rstrip("\n"))
    print(f"Stored. Write ${{secret:{options.name}}} in the configuration.")


def _run(options: argparse.Namespace) -> dict[str, Any] | None:
    config, base = _configuration(options)
    from chalicelib import pipeline, terminal

    with terminal.progress(quiet=options.json) as progress:
        result = pipeline.run(config, base, progress, full=options.full, **_parts(options.parts))
    return _report(options, config, result)


def _count(text: str) -> int:
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


def _parts(count: int) -> dict[str, Any]:
    """What is wanted of the pipeline for so many parts."""
    if count == 1:
        return {}
    from chalicelib.processes import InProcesses
    from chalicelib.several import Cut

    return {"cut": Cut(parts=count), "work": InProcesses(count)}


def _replay(options: argparse.Namespace) -> dict[str, Any] | None:
    config, base = _configuration(options)
    from chalicelib import pipeline, terminal

    with terminal.progress(quiet=options.json) as progress:
        result = pipeline.replay(config, base, options.run_id, {}, progress)
    return _report(options, config, result)


def _report(
    options: argparse.Namespace, config: Config, result: RunResult
) -> dict[str, Any] | None:
    from chalicelib import database, load, terminal

    if options.json:
        return {**asdict(result), "read": result.read}
    engine = database.connect(config.target)
    terminal.show(result, load.preview(engine, result.table, PREVIEW_ROWS))
    return None


def _extract(options: argparse.Namespace) -> dict[str, Any] | None:
    config, base = _configuration(options)
    from chalicelib import terminal
    from chalicelib.export import export

    with terminal.progress(quiet=options.json) as progress:
        done = export(config, base, options.output, progress, raw=options.raw)
    if options.json:
        return asdict(done)
    print(f"{done.rows} rows in {done.output}, {done.quarantined} quarantined rows left out")
    return None


def _check(options: argparse.Namespace) -> dict[str, Any] | None:
    config, _ = _configuration(options)
    config_names = [source.name for source in config.sources]
    summary = {
        "sources": {source.name: source.type for source in config.sources},
        "table": config.target.qualified_table,
        "mode": config.target.mode,
        "columns": list(config.declared),
        "transform": [transform.name for transform in config.transform],
        "checks": [check.label for check in config.checks],
        "warnings": config.warnings,
    }
    if options.json:
        return summary
    print(f"{options.config} is valid: {', '.join(config_names)} → {summary['table']}")
    for warning in config.warnings:
        print(f"Warning: {warning}")
    return None


def _schema(options: argparse.Namespace) -> dict[str, Any] | None:
    if options.json:
        return json_schema()
    print(json.dumps(json_schema(), indent=2))
    return None


def _configuration(options: argparse.Namespace) -> tuple[Config, Path]:
    """The configuration and the folder that its paths are relative to."""
    from chalicelib import secrets

    return load_config(options.config, secrets=secrets.lookup), options.config.resolve().parent


def _fail(error: EltError, *, as_json: bool) -> None:
    if as_json:
        fields = {"code": error.code, "message": str(error), "where": error.where, "fix": error.fix}
        print(json.dumps({"error": fields}, indent=2))
    else:
        print(
            f"{'Mistake' if error.exit_code == UsageError.exit_code else 'Failed'}: {error}",
            file=sys.stderr,
        )


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: it says what is loaded
    sys.exit(main())
