"""LocalStack in docker: its image, whose functions run in the containers of Lambda's runtimes."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from dev.localstack.ready import INSIDE, LOG, LocalStack, wait_until_ready

IMAGE = "localstack/localstack:4.14.0"
SCRIPTS = ("authorizer", "clock")
SOCKET = "/var/run/docker.sock"
MACHINE = "host.docker.internal"
HOST = f"--add-host={MACHINE}:host-gateway"
GATEWAY = "{{(index .IPAM.Config 0).Gateway}}"


def docker_answers() -> bool:
    """Whether there is a docker client, and an engine that it reaches."""
    with suppress(OSError, subprocess.TimeoutExpired):
        return _docker("info", timeout=10).returncode == 0
    return False


@contextmanager
def in_docker(port: int) -> Iterator[LocalStack]:
    """Run the image, published on a port of 127.0.0.1. Raises EltError when it does not start."""
    name = f"elt-localstack-{os.getpid()}"
    endpoint = f"http://127.0.0.1:{port}"
    _docker("pull", IMAGE)
    with LOG.open("wb") as log:
        container = subprocess.Popen(_command(name, port), stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until_ready(endpoint, SCRIPTS, container.poll)
            yield LocalStack(endpoint, machine=MACHINE, listen=_reachable_address())
        finally:
            _docker("stop", name)
            container.wait()


def _command(name: str, port: int) -> list[str]:
    scripts = [
        f"--volume={INSIDE}/{script}.py:/etc/localstack/init/start.d/{script}.py:ro"
        for script in SCRIPTS
    ]
    settings = (
        f"GATEWAY_LISTEN=0.0.0.0:{port}",  # inside as outside: some answers are URLs
        f"LAMBDA_DOCKER_FLAGS={HOST}",
        "LAMBDA_RETRY_BASE_DELAY=1",
        "DISABLE_EVENTS=1",
    )
    return [
        *("docker", "run", "--rm", f"--name={name}", f"--publish=127.0.0.1:{port}:{port}", HOST),
        *(f"--volume={SOCKET}:{SOCKET}", *scripts),
        *(f"--env={setting}" for setting in settings),
        IMAGE,
    ]


def _reachable_address() -> str:
    """Where this machine listens for its containers: the bridge; in Docker Desktop, itself."""
    gateway = _docker("network", "inspect", "bridge", f"--format={GATEWAY}").stdout.strip()
    with socket.socket() as probe, suppress(OSError):
        probe.bind((gateway, 0))
        return gateway
    return "127.0.0.1"


def _docker(*arguments: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=False, timeout=timeout
    )
