"""Uploads, triggers, deaths, cancels, resumes and replays in any order, against a model of them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chalicelib import jobs
from chalicelib.errors import Conflict, NoConfiguration, NotFound, RunActive
from chalicelib.history import configs
from chalicelib.jobs import worker
from tests.faults.conftest import Shop
from tests.faults.harness import KILLS, Service

NAMES = st.integers(1, 6)


class AnyOrder(RuleBasedStateMachine):
    """What the service should be like after each step, kept by hand beside it."""

    server = None

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="elt-any-")
        self.name = Path(self.folder.name).name
        with self.server.admin() as admin:
            admin.run(f'create database "{self.name}"')
        os.environ["ELT_TARGET_URL"] = self.server.url(self.name)
        os.environ["ELT_STATE_DIR"] = f"{self.folder.name}/state"
        os.chdir(self.folder.name)
        self.shop = Shop(Path(self.folder.name), self.server.url(self.name))
        self.service = Service()
        self.versions: list[str] = []
        self.delivered = 0
        self.waiting: set[int] = set()
        self.loaded: set[int] = set()
        self.states: dict[str, str] = {}
        self.replays: set[str] = set()

    def teardown(self) -> None:
        with self.server.admin() as admin:
            admin.run(f'drop database "{self.name}" with (force)')
        os.chdir("/")
        self.folder.cleanup()

    @property
    def active(self) -> list[str]:
        return [run for run, state in self.states.items() if state in ("queued", "running")]

    def refused(self, kind, ask) -> None:
        with pytest.raises(kind):
            ask()

    @rule(rows=st.integers(1, 5))
    def deliver(self, rows) -> None:
        self.delivered += 1
        numbers = range(self.delivered * 10, self.delivered * 10 + rows)
        lines = "".join(f"{n},order\n" for n in numbers)
        self.shop.write(f"{self.delivered}.csv", f"id,name\n{lines}x,broken\n")
        self.waiting |= set(numbers)

    @rule(comment=st.text(st.characters(codec="utf-8"), max_size=20))
    def upload(self, comment) -> None:
        text = self.shop.text
        self.versions.append(text)
        stored = configs.add(self.service.engine, text, "ann", comment)
        assert stored.version == len(self.versions)

    @rule(version=NAMES)
    def restore(self, version) -> None:
        if version > len(self.versions):
            self.refused(NotFound, lambda: configs.restore(self.service.engine, version, "ann"))
            return
        self.versions.append(self.versions[version - 1])
        stored = configs.restore(self.service.engine, version, "ann")
        assert (stored.version, stored.yaml) == (len(self.versions), self.versions[-1])

    @rule()
    def trigger(self) -> None:
        if not self.versions:
            self.refused(NoConfiguration, self.service.trigger)
        elif self.active:
            self.refused(RunActive, self.service.trigger)
        else:
            self.states[self.service.trigger()] = "queued"

    @precondition(lambda self: self.states)
    @rule()
    def work(self) -> None:
        """The job function is invoked for the newest run, whatever has become of it."""
        newest = list(self.states)[-1]
        can_begin = self.states[newest] in ("queued", "interrupted")
        worker.work(newest)
        if can_begin:
            self.states[newest] = "succeeded"
            if newest not in self.replays:
                self.loaded |= self.waiting
                self.waiting = set()

    @precondition(lambda self: self.states)
    @rule()
    def cancel(self) -> None:
        newest = list(self.states)[-1]
        if self.states[newest] == "queued":
            jobs.cancel(self.service.engine, newest)
            self.states[newest] = "cancelled"
        else:
            self.refused(Conflict, lambda: jobs.cancel(self.service.engine, newest))

    @rule()
    def time_goes_by(self) -> None:
        self.service.settle()
        for run in self.active:
            self.states[run] = "interrupted"

    @precondition(lambda self: self.states)
    @rule()
    def resume(self) -> None:
        newest = list(self.states)[-1]
        if self.states[newest] == "interrupted":
            jobs.resume(self.service.engine, newest, "ann")
            self.states[newest] = "queued"
        else:
            self.refused(Conflict, lambda: jobs.resume(self.service.engine, newest, "ann"))

    @precondition(lambda self: "succeeded" in self.states.values())
    @rule()
    def replay(self) -> None:
        """What is broken stays broken, and in quarantine, now of the replay."""
        parent = [run for run, state in self.states.items() if state == "succeeded"][-1]
        if self.active:
            self.refused(RunActive, lambda: jobs.replay(self.service.engine, parent, "ann", {}))
            return
        queued = jobs.replay(self.service.engine, parent, "ann", {}).id
        self.states[queued] = "queued"
        self.replays.add(queued)

    @invariant()
    def every_row_is_there_once(self) -> None:
        if "succeeded" in self.states.values() and self.loaded:
            rows = self.shop.query("select id from orders order by id")
            assert [row[0] for row in rows] == sorted(self.loaded)

    @invariant()
    def every_run_is_in_its_state(self) -> None:
        assert {run: self.service.state(run) for run in self.states} == self.states


def test_any_order_of_requests_ends_as_the_model_says(server, monkeypatch, tmp_path):
    monkeypatch.setenv("ELT_TARGET_URL", "")
    monkeypatch.setenv("ELT_STATE_DIR", "")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(jobs, "launch", lambda _: None)
    monkeypatch.setattr(AnyOrder, "server", server)
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            max_examples=2 * KILLS,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    monkeypatch.chdir(tmp_path)
