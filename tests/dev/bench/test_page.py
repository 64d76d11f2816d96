"""The page shows what the figures say, and is never written by hand."""

import dataclasses

import pytest

from dev.bench.process import Measured
from dev.bench.report import cost, page
from dev.bench.report.results import PeerResult, Result, Results, earlier, read, save
from dev.bench.report.targets import verdicts
from dev.bench.shapes import SHAPES

STEPS = {"plan": 0.1, "extract": 0.5, "validate": 0.3, "combine": 0.4, "load": 9.0}


def measured(seconds, memory=200e6, cpu=1.0, steps=STEPS):
    return Measured(seconds + 1, cpu + 1, int(memory), seconds, cpu, steps)


def result(shape, *ratios, memory=200e6, size=100_000_000):
    pairs = [(measured(ratio, memory), measured(1.0)) for ratio in ratios]
    return Result(shape, 1000, size, "2026-01-31 12:00 UTC", 0.5, pairs, pairs)


@pytest.fixture
def results():
    shapes = {name: result(name, 1.0, 9.0, 1.25) for name in SHAPES}
    peers = {
        "one": PeerResult("one", "one 1.0", 2.5, 3.0, 10**8, True, {"zones": "right"}),
        "two": PeerResult("two", "two 2.0", failure="no wheel"),
    }
    return Results({"processor": "2 cores"}, shapes, peers)


def line(text, start):
    return next(line for line in text.splitlines() if line.startswith(start))


def test_the_page_is_what_the_stored_figures_make():
    page_file = page.FIGURES.with_suffix(".md")
    assert page_file.read_text() == page.render(read(page.FIGURES)), "run `make bench` instead"


def test_figures_come_back_as_they_were_kept(results, tmp_path):
    save(results, tmp_path / "results.json")
    assert page.render(read(tmp_path / "results.json")) == page.render(results)


def test_figures_of_another_machine_or_version_are_not_kept_beside_new_ones(results, tmp_path):
    save(results, tmp_path / "results.json")
    assert earlier(tmp_path / "results.json", results.machine).shapes
    assert not earlier(tmp_path / "results.json", {"processor": "4 cores"}).shapes
    assert not earlier(tmp_path / "none.json", results.machine).shapes


def test_a_ratio_is_the_median_of_the_pairs_not_of_the_times(results):
    assert "| 1.25 × |" in line(page.render(results), "| `orders` | 1.25")


def test_every_shape_and_every_promise_has_its_line(results):
    text = page.render(results)
    assert all(text.count(f"| `{name}` |") == 5 for name in SHAPES)
    assert all(f"| {verdict.promise} |" in text for verdict in verdicts(results))


def test_the_limit_is_what_takes_longest(results):
    pair = measured(3.0, steps={**STEPS, "extract": 2.5}), measured(1.0)
    results.shapes["ndjson"] = Result("ndjson", 1, 1, "", 0.0, [pair])
    text = page.render(results)
    section = text[text.index("## Where the time goes") :]
    assert line(section, "| `orders`").endswith("| 0.50 | 0.70 | 1.00 | PostgreSQL |")
    assert (
        line(section, "| `ndjson`") == "| `ndjson` | 3.00 | 0.10 | 2.50 | 0.70 | 1.00 | reading |"
    )


def test_a_promise_is_met_not_met_or_not_measured(results):
    results.shapes = {"large": result("large", 1.1), "ndjson": result("ndjson", 2.6)}
    text = page.render(results)
    assert line(text, "| 1 GB of clean CSV").endswith("| 1.1 × | met |")
    assert line(text, "| NDJSON").endswith("| 2.6 × | **not met** |")
    assert line(text, "| JSON array").endswith("| – | not measured |")


def test_memory_is_flat_when_ten_times_as_much_takes_a_tenth_more(results):
    results.shapes["medium"] = result("medium", 1.0, memory=200e6)
    for memory, met in ((220e6, True), (230e6, False)):
        results.shapes["huge"] = result("huge", 1.0, memory=memory)
        flat = next(one for one in verdicts(results) if "400 MB" in one.promise)
        assert flat.met == met


def test_cpu_is_judged_with_the_imports_for_each_100_mb(results):
    results.shapes["large"] = result("large", 1.0, size=200_000_000)
    cpu = next(one for one in verdicts(results) if "CPU" in one.promise)
    assert cpu.measured == 1.0


def test_a_run_costs_its_memory_its_disk_and_a_request():
    assert cost.of_lambda(100, 0.1) == pytest.approx(100 * 1769 / 1024 * 0.0000166667, rel=1e-3)
    assert cost.of_lambda(100, 4) - cost.of_lambda(100, 0) == pytest.approx(100 * 7.5 * 3.09e-8)
    assert cost.of_glue() == pytest.approx(0.0147, abs=1e-4)


def test_a_peer_that_cannot_be_measured_says_why(results):
    text = page.render(results)
    assert "| one | one 1.0 | 2.50 × | 3.0 | 100 | the same |" in text
    assert "| two | two 2.0 | failed: no wheel |" in text
    results.peers = {}
    assert "## Peers" not in page.render(results)


def test_one_core_is_shown_where_there_was_more_than_one(results):
    results.shapes = {"orders": dataclasses.replace(results.shapes["orders"], alone=[])}
    one_core = page.render(results).partition("## One core")[2].partition("## Cost")[0]
    assert "`orders`" not in one_core
