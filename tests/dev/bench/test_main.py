"""The command measures what it is asked for, and keeps the figures with the page beside them."""

import sys

import pytest

from dev.bench import __main__ as command
from dev.bench.report import page
from dev.bench.report.results import read


@pytest.fixture
def bench(tmp_path, monkeypatch, without_start):
    """Runs the command with these arguments, and gives what is kept."""

    def run(*arguments):
        figures = tmp_path / "results.json"
        monkeypatch.setattr(
            sys, "argv", ["bench", "load", "--rows", "100", "--figures", str(figures), *arguments]
        )
        command.main()
        return figures

    return run


def test_figures_and_page_are_kept_and_those_of_other_shapes_stay(bench, capsys):
    bench("--shapes", "orders", "--pairs", "2")
    figures = bench("--shapes", "narrow", "--pairs", "1")
    kept = read(figures)
    assert {name: len(result.free) for name, result in kept.shapes.items()} == {
        "orders": 2,
        "narrow": 1,
    }
    assert figures.with_suffix(".md").read_text() == page.render(kept)
    assert capsys.readouterr().out.splitlines()[-1] == str(figures.with_suffix(".md"))


def test_a_shape_that_there_is_not_is_refused_with_those_that_there_are(bench, capsys):
    with pytest.raises(SystemExit):
        bench("--shapes", "round")
    assert "choose from orders, narrow" in capsys.readouterr().err.replace("'", "")
