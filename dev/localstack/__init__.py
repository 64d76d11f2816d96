"""LocalStack: an AWS on this machine that Lambda packages are deployed into, for tests.

In docker where a docker engine answers, as a process otherwise; what is deployed, and what is asked
of it, is the same. The scripts in `inside/` run in LocalStack's own process and add what it lacks:
authorizers that are asked, rules that fire as they are, and, without docker, functions.

What still differs from AWS, and so is tested nowhere: rights are not checked, the gateway's own
answers have LocalStack's shape, metrics are not made of log lines, a map of Step Functions succeeds
however many of its children fail, and without docker functions have no memory limit, may write into
their package, and do not freeze between two events.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from dev.localstack.docker import docker_answers, in_docker
from dev.localstack.host import on_host
from dev.localstack.ready import LOG, LocalStack

__all__ = ["LocalStack", "localstack"]


@contextmanager
def localstack() -> Iterator[LocalStack]:
    """Run an empty LocalStack on a free port. Raises EltError when it does not start."""
    LOG.parent.mkdir(exist_ok=True)
    run = in_docker if docker_answers() else on_host
    with run(_free_port()) as running:
        yield running


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
