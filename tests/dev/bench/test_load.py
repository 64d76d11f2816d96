"""The benchmark measures programs that really load the rows, and tells when one does not."""

import dataclasses
import subprocess
import sys

import pytest

from dev.bench import load
from dev.bench.contest import TABLE, contest
from dev.bench.process import measure
from dev.bench.shapes import SHAPES, tables
from dev.bench.shapes.files import write

ROWS = 200


@pytest.mark.parametrize("name", SHAPES)
def test_ours_and_the_yardstick_load_the_rows_of_each_shape(name, server, tmp_path, without_start):
    written = write(SHAPES[name], ROWS, tmp_path / "shape")
    made = contest(SHAPES[name], written, server, tmp_path / "shape")
    assert written.loaded == (198 if name == "spoiled" else ROWS)
    made.compare(written.loaded)
    assert server.fingerprint(TABLE).startswith(f"{written.loaded}|")


def test_a_result_has_all_pairs_free_and_alone_and_leaves_nothing(server, tmp_path):
    result = load.measure("orders", ROWS, 1, server, tmp_path)
    assert (result.shape, result.rows, len(result.free)) == ("orders", ROWS, 1)
    ours, copy = result.free[0]
    assert 0 < ours.run < ours.process
    assert 0 < ours.run_cpu < ours.process_cpu
    assert copy.run == copy.process
    assert ours.memory > 50e6
    assert list(tmp_path.iterdir()) == []
    assert server.carry_out(f"select to_regclass('{TABLE}') is null") == "t"


def test_rows_that_differ_end_it(server, tmp_path, without_start):
    shape = dataclasses.replace(SHAPES["orders"], make=lambda n: _other(tables.orders(n)))
    written = write(shape, ROWS, tmp_path / "shape")
    made = contest(shape, written, server, tmp_path / "shape")
    with pytest.raises(AssertionError, match=r"the pipeline loaded 200\|.*, the yardstick 200\|"):
        made.compare(ROWS)


def _other(rows):
    return dataclasses.replace(rows, loaded=rows.loaded | {"country": rows.loaded["note"]})


def test_memory_and_cpu_are_those_of_the_program_and_not_of_its_parent():
    held = bytearray(400_000_000)
    code = "import time; held = bytearray(100_000_000); time.sleep(1)"
    measured = measure([sys.executable, "-c", code], {})
    assert len(held) > 300e6 > measured.memory > 100e6
    assert measured.run == measured.process > 1 > measured.process_cpu


def test_a_program_that_fails_is_told_with_what_it_said():
    with pytest.raises(subprocess.CalledProcessError) as failed:
        measure([sys.executable, "-c", "raise SystemExit('no luck')"], {})
    assert "no luck" in failed.value.output


def test_a_program_keeps_to_the_cores_it_is_given():
    code = "import os, time; time.sleep(0.2); assert os.sched_getaffinity(0) == {0}"
    measure([sys.executable, "-c", code], {}, cores={0})


def test_a_server_keeps_to_its_cores_for_as_long_as_it_is_told(server):
    import psutil

    backend = "select pg_backend_pid(), pg_read_file('/proc/self/status') ~ 'Cpus_allowed:\\s+2\n'"
    if len(psutil.Process().cpu_affinity()) < 2:
        pytest.skip("this machine has one core")
    with server.confined({1}):
        assert server.carry_out(backend).endswith("|t")
    assert server.carry_out(backend).endswith("|f")
