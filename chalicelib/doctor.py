"""Whether what the service needs can be reached: databases, secrets, bucket, job and sources.

All are tried at once and each for three seconds, so that one which swallows every packet (the
way of a VPC without a route) is told from one that refuses.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Engine

from chalicelib import database, fanout, history, schedule, secrets, settings
from chalicelib.config import ApiSource, Config, Target, parse_config
from chalicelib.errors import EltError, SourceError
from chalicelib.extract.s3_errors import translated
from chalicelib.history import configs
from chalicelib.jobs.launch import launchable

PATIENCE = 3.0
"""Seconds for each try; what is there answers in a fraction of one."""

SILENT = (
    "Nothing came back: in a VPC look at subnets, routes (NAT or an endpoint) and security groups."
)

Probe = Callable[[], str]
"""Reach for something and tell what was reached. Raises EltError when it cannot be."""


@dataclass(frozen=True)
class Check:
    """What was tried and whether it was reached; `said` is what it is, or why not and what to do.

    It holds no secret.
    """

    what: str
    reached: bool
    said: str
    milliseconds: int


def examine(patience: float = PATIENCE) -> list[Check]:
    """Try everything, sources of the newest configuration included."""
    checks = _try_all(
        {
            "secrets": _secrets,
            "database": _service_database,
            "schedule": _schedule,
            "job": launchable,
            "fan-out": fanout.reachable,
            "bucket": _bucket,
            "configuration": lambda: _summary(_configuration()),
        },
        patience,
    )
    if not checks[-1].reached:
        return checks
    return checks + _try_all(_probes(_configuration()), patience)


def _try_all(probes: Mapping[str, Probe], patience: float) -> list[Check]:
    """Threads that hang are left behind: no library here can be made to give up in time."""
    started, answers = time.monotonic(), {what: SimpleQueue[Check]() for what in probes}
    for what, probe in probes.items():
        work = (what, probe, answers[what])
        threading.Thread(target=_try, args=work, name=f"doctor {what}", daemon=True).start()
    return [
        _await(answers[what], started + patience)
        or Check(what, reached=False, said=SILENT, milliseconds=round(1000 * patience))
        for what in probes
    ]


def _try(what: str, probe: Probe, answer: SimpleQueue[Check]) -> None:
    started = time.monotonic()
    try:
        reached, said = True, probe()
    except EltError as error:
        reached, said = False, str(error)
    except Exception as bug:
        reached, said = False, f"an unforeseen failure: {type(bug).__name__}"
    answer.put(Check(what, reached, said, round(1000 * (time.monotonic() - started))))


def _await(answer: SimpleQueue[Check], until: float) -> Check | None:
    try:
        return answer.get(timeout=max(0.0, until - time.monotonic()))
    except Empty:
        return None


def _secrets() -> str:
    secrets.user_store().get("doctor")  # that there is none is an answer, too
    return "Secrets Manager" if settings.secrets_on_aws() else "a file of this machine"


def _service_database() -> str:
    return _server(database.connect_service(), "service database")


def _target(target: Target) -> str:
    return _server(database.connect(target), "target")


def _server(engine: Engine, where: str) -> str:
    with database.translated(where), database.transaction(engine) as connection:
        return str(connection.exec_driver_sql("select version()").scalar_one()).split(" on ")[0]


def _schedule() -> str:
    now = schedule.state()
    return f"{now.rate or 'no rule'}, {'on' if now.enabled else 'off'}"


def _bucket() -> str:
    bucket = settings.bucket()
    if bucket is None:
        return "none is set: files of runs are not kept"
    with translated(f"s3://{bucket}"):
        _s3().head_bucket(Bucket=bucket)
    return f"s3://{bucket}"


def _configuration() -> Config:
    engine = history.connect()
    history.migrate(engine)
    newest = configs.latest(engine)
    if newest is None:
        raise EltError("no configuration was uploaded yet", fix="Upload one.")
    return parse_config(newest.yaml, os.environ, f"version {newest.version}", secrets.lookup)


def _summary(config: Config) -> str:
    return f"loads {config.target.qualified_table}"


def _probes(config: Config) -> dict[str, Probe]:
    """What the configuration names: its target, and each source that is not a plain folder."""
    probes: dict[str, Probe] = {"target": partial(_target, config.target)}
    for source in config.sources:
        if isinstance(source, ApiSource):
            probes[f"source {source.name}"] = partial(_api, source.url)
        elif source.s3:
            probes[f"source {source.name}"] = partial(_prefix, source.s3)
    return probes


def _api(url: str) -> str:
    """Only as far as its door: to ask an API for records could cost something."""
    parts = urlsplit(url)
    host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((host, port)) as wire:
            if parts.scheme == "https":
                ssl.create_default_context().wrap_socket(wire, server_hostname=host).close()
    except OSError as error:
        raise SourceError(
            f"it cannot be reached ({error.strerror or error})",
            where=f"{host}:{port}",
            fix="Correct the host in url, or check the network.",
        ) from None
    return f"{host}:{port}"


def _prefix(url: str) -> str:
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    with translated(url):
        _s3().list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
    return url


def _s3() -> Any:
    import boto3

    return boto3.session.Session().client("s3")
