"""What a person sees of a run: bars while it works, tables when it is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Literal

from rich.console import Console
from rich.filesize import decimal as file_size
from rich.markup import escape
from rich.progress import BarColumn, ProgressColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from chalicelib.load.table import Preview
from chalicelib.progress import STEPS, Progress
from chalicelib.reports import FileReport, Repair, RunResult, SourceReport

MAX_FILES = 20
"""Rows of a source's table before the rest is summed up."""

USUAL = ("UTF-8", '"', "doubled", "LF", "line 1", "0")
"""What a reader may find in a file and nobody needs to be told; the JSON report has all of it."""

TYPE_WIDTH = 14
"""Cells for the type of a column; longer ones wrap."""


class BarProgress(Progress):
    """A bar for each step."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._bars = Bars(
            TextColumn("{task.description:<9}"),
            BarColumn(),
            _Amount(),
            TimeElapsedColumn(),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> BarProgress:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def begin(self, step: str, total: int | None, unit: str) -> None:
        """Show the step's bar; it pulses while nobody knows the total."""
        self._tasks[step] = self._bars.add_task(step, total=total, unit=unit)

    def advance(self, step: str, by: int) -> None:
        """Move the step's bar."""
        self._bars.advance(self._tasks[step], by)

    def end(self, step: str) -> None:
        """Fill the step's bar."""
        if (task := self._tasks.get(step)) is not None:
            self._bars.update(task, total=self._bars.tasks[task].completed or 1)
            self._bars.stop_task(task)


class _Amount(ProgressColumn):
    def render(self, task: Task) -> Text:
        if task.fields["unit"] == "bytes":
            return Text(file_size(int(task.completed)))
        return Text(f"{int(task.completed):,} {task.fields['unit']}")


@contextmanager
def progress(*, quiet: bool) -> Iterator[Progress]:
    """Bars on standard error when it is a terminal; otherwise the log lines must do."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield Progress()
    else:
        with BarProgress(console) as bars:
            yield bars


def show(result: RunResult, preview: Preview) -> None:
    """The whole report of a run that succeeded."""
    console = Console()
    for source in result.sources:
        console.print(_source_table(source))
    if result.rejects:
        console.print(_reject_table(result))
    if preview.columns:
        console.print(_target_table(result, preview, console.width))
    for check in result.checks:
        mark = "[green]✓[/]" if check.passed else "[yellow]✗[/]"
        console.print(f"{mark} check {escape(check.name)}", highlight=False)
    for change in result.changes:
        console.print(f"[green]+[/] {escape(change)}", highlight=False)
    for warning in result.warnings:
        console.print(f"[yellow]Warning:[/] {escape(warning)}", highlight=False)
    console.print(_steps(result), highlight=False)
    if result.read:
        console.print(
            f"Combined CSV: {escape(str(result.output))}", highlight=False, soft_wrap=True
        )
    console.print(_outcome(result), highlight=False)


def _source_table(source: SourceReport) -> Table:
    table = Table(title=f"Source {source.name} ({source.kind})", title_justify="left")
    for heading in ("file", "read", "loaded", "quarantined", "remarks"):
        justify: Literal["left", "right"] = "left" if heading in ("file", "remarks") else "right"
        table.add_column(heading, justify=justify, overflow="fold")
    reports = list(source.files.values())
    for file in reports[:MAX_FILES]:
        counts = (file.rows, file.rows - file.quarantined, file.quarantined)
        numbers = [f"{n:,}" for n in counts] if file.outcome == "read" else ["", "", ""]
        table.add_row(escape(file.name), *numbers, escape(_remarks(file)))
    if len(reports) > MAX_FILES:
        table.add_row(f"and {len(reports) - MAX_FILES:,} more files", "", "", "", "")
    table.add_section()
    loaded = source.rows - source.quarantined
    table.add_row("all", f"{source.rows:,}", f"{loaded:,}", f"{source.quarantined:,}", "")
    return table


def _remarks(file: FileReport) -> str:
    remarks = [f"{file.outcome}: {file.detail}" if file.outcome != "read" else file.detail]
    remarks += [f"{what} {found}" for what, found in file.detected.items() if found not in USUAL]
    remarks += [f"{what}: {_places(repair)}" for what, repair in file.repaired.items()]
    if file.ignored:
        remarks.append(f"not in the schema: {', '.join(file.ignored)}")
    return "; ".join(filter(None, remarks))


def _places(repair: Repair) -> str:
    lines = ", ".join(f"{line:,}" for line in repair.lines)
    more = ", …" if repair.count > len(repair.lines) else ""
    return f"{repair.count:,} x, line {lines}{more}"


def _reject_table(result: RunResult) -> Table:
    table = Table(title=f"Quarantined, {len(result.rejects)} of {result.quarantined:,}")
    table.title_justify = "left"
    for heading in ("file", "line", "reason"):
        table.add_column(heading, overflow="fold")
    for origin, reject in result.rejects:
        table.add_row(escape(origin), f"{reject.line:,}", escape(_line(reject.describe())))
    return table


def _target_table(result: RunResult, preview: Preview, width: int) -> Table:
    """Columns downward, so that a wide table fits a narrow terminal."""
    table = Table(title=f"Table {result.table}", title_justify="left")
    names = max(map(len, preview.columns), default=0)
    table.add_column("column", no_wrap=True)
    table.add_column("type", overflow="fold", width=TYPE_WIDTH)
    each = (width - names - TYPE_WIDTH - 8) // max(len(preview.rows), 1) - 3
    for number, _ in enumerate(preview.rows, start=1):
        table.add_column(f"row {number}", overflow="ellipsis", no_wrap=True, max_width=each)
    for position, (name, kind) in enumerate(preview.columns.items()):
        values = [row[position] for row in preview.rows]
        shown = ("[dim]NULL[/]" if value is None else escape(_line(value)) for value in values)
        table.add_row(escape(name), kind, *shown)
    return table


def _line(value: str) -> str:
    return value.replace("\n", "⏎")


def _steps(result: RunResult) -> str:
    took = [f"{s} {result.seconds[s]:.2f} s" for s in STEPS if s in result.seconds]
    return f"Time: {', '.join(took)} (steps overlap)"


def _outcome(result: RunResult) -> str:
    if not result.read:
        return f"{_nothing(result)} Nothing was loaded into {result.table}."
    replaced = f", {result.deleted:,} old rows deleted" if result.deleted else ""
    nulled = f", {result.nulled:,} values set to NULL" if result.nulled else ""
    return (
        f"[green]Done:[/] {result.read:,} rows read = {_counts(result)} + "
        f"{result.quarantined:,} quarantined{replaced}{nulled}. Run {result.run_id}"
    )


def _counts(result: RunResult) -> str:
    if result.mode != "merge":
        return f"{result.inserted:,} loaded into {result.table}"
    return (
        f"{result.inserted:,} inserted into {result.table} + {result.updated:,} updated + "
        f"{result.superseded:,} superseded"
    )


def _nothing(result: RunResult) -> str:
    files = [file for source in result.sources for file in source.files.values()]
    if not files:
        return "[yellow]Nothing there:[/] the sources hold no files."
    if any(file.outcome == "failed" for file in files) or result.warnings:
        return "[yellow]No rows:[/] see the warnings."
    return "[green]Nothing new:[/] all that the sources hold was loaded before."
