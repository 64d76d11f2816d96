"""A server to load into, and runs that need no start."""

import time

import pytest

from dev.bench import child
from dev.bench.process import Measured, measure
from dev.bench.server import Server


@pytest.fixture
def server(database):
    return Server(database)


@pytest.fixture
def without_start(monkeypatch):
    """Runs of the pipeline in this process, as its start is most of what a few rows take."""

    def run(command, environment, cores=()):
        if "dev.bench.child" not in command:
            return measure(command, environment, cores)
        started = time.perf_counter()
        with monkeypatch.context() as patched:
            for name, value in environment.items():
                patched.setenv(name, value)
            child.main(*command[3:])
        took = time.perf_counter() - started
        return Measured(took, took, 1, took, took)

    monkeypatch.setattr("dev.bench.contest.measure", run)
    monkeypatch.setattr("dev.bench.peers.measure", run)
