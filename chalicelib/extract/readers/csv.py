"""Delimited files: blocks of records parsed by Arrow, every column as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.csv

from chalicelib.batch import RAW, Batch, Problem, Reject
from chalicelib.errors import SourceError
from chalicelib.extract.readers.blocks import Block, blocks
from chalicelib.extract.readers.dialect import find_delimiter, split_record
from chalicelib.extract.readers.header import column_names
from chalicelib.extract.readers.input_file import InputFile

SPOKEN = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "pipe"}


def read(file: InputFile) -> Iterator[Batch]:
    """Batches of a `.csv` file, with the delimiter that was configured or found."""
    head = file.head()
    if head.lstrip()[:1] in (b"{", b"["):
        raise SourceError("the file holds JSON", where=file.name, fix="Rename it to .json.")
    asked = file.options.delimiter
    return read_delimited(file, asked if asked != "auto" else find_delimiter(head) or ",")


def read_delimited(file: InputFile, delimiter: str) -> Iterator[Batch]:
    """Batches of a file whose first record names the columns."""
    layout: Layout | None = None
    with file.open() as stream:
        for block in blocks(stream, file.name):
            _refuse_stray_quotes(block, file.name, delimiter)
            refuse_lone_returns(block, file.name)
            body = block
            if layout is None:
                header, body = block.split_first()
                if not header.data:
                    continue
                names = split_record(decoded(header, file.name), delimiter)
                layout = Layout(file, delimiter, column_names(names, file, header.first_line))
                file.detected["delimiter"] = SPOKEN.get(delimiter, delimiter)
            yield layout.batch(body, len(block.data))


@dataclass(frozen=True)
class Layout:
    """What every block of one file shares."""

    file: InputFile
    delimiter: str
    names: tuple[str, ...]

    def batch(self, block: Block, size: int) -> Batch:
        """The rows of a block; those with too few or too many fields are rejects."""
        ragged: list[tuple[int, str]] = []
        table = self._parse(block, ragged)
        lines: Sequence[int] = block.record_lines(table.num_rows + len(ragged))
        if len(lines) != table.num_rows + len(ragged):
            raise SourceError(
                "rows cannot be told from lines here",
                where=f"{self.file.name} line {block.first_line}",
                fix="Look for quotes that are not doubled near this line.",
            )
        rejects = [self._reject(lines[at], text) for at, text in ragged]
        if ragged:
            aside = {at for at, _ in ragged}
            lines = [line for at, line in enumerate(lines) if at not in aside]
        return Batch(self.file.source, self.file.name, table, lines, size, rejects)

    def _parse(self, block: Block, ragged: list[tuple[int, str]]) -> pa.Table:
        def keep_aside(row: pyarrow.csv.InvalidRow) -> str:
            ragged.append((row.number - 1, row.text))
            return "skip"

        if not block.data.strip(b"\r\n"):
            return pa.table({name: pa.array([], pa.string()) for name in self.names})
        try:
            return pyarrow.csv.read_csv(
                pa.BufferReader(block.data),
                read_options=pyarrow.csv.ReadOptions(
                    use_threads=False, column_names=self.names, block_size=len(block.data) + 1
                ),
                parse_options=pyarrow.csv.ParseOptions(
                    delimiter=self.delimiter,
                    newlines_in_values=block.quoted,
                    invalid_row_handler=keep_aside,
                ),
                convert_options=self._all_text(),
            )
        except pa.ArrowInvalid as error:
            decoded(block, self.file.name)
            where = f"{self.file.name} line {block.first_line}"
            raise SourceError(str(error), where=where, fix="Mend the file.") from error

    def _all_text(self) -> pyarrow.csv.ConvertOptions:
        return pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(self.names, pa.string()),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=list(self.file.options.null_values),
        )

    def _reject(self, line: int, text: str) -> Reject:
        fields = len(split_record(text, self.delimiter))
        reason = f"has {fields} fields where the header has {len(self.names)}"
        return Reject(line, {RAW: text}, (Problem(None, text, reason),))


def decoded(block: Block, name: str) -> str:
    """The block as text; SourceError with the line of the first byte that is not UTF-8."""
    try:
        return block.data.decode()
    except UnicodeDecodeError as error:
        raise SourceError(
            f"byte 0x{block.data[error.start]:02x} is not UTF-8",
            where=f"{name} line {block.line_at(error.start)}",
            fix="Save the file as UTF-8.",
        ) from None


def refuse_lone_returns(block: Block, name: str) -> None:
    """SourceError for a line end that other programs take for one and some for none."""
    line = block.lone_return()
    if line is not None:
        raise SourceError(
            "a carriage return stands there without a newline",
            where=f"{name} line {line}",
            fix="Convert the line ends to LF or CRLF, or quote the field that it belongs to.",
        )


def _refuse_stray_quotes(block: Block, name: str, delimiter: str) -> None:
    line = block.stray_quote(delimiter)
    if line is not None:
        raise SourceError(
            "a quote stands in the middle of a field",
            where=f"{name} line {line}",
            fix='Quote the whole field and double the quote inside it: "5"" pipe".',
        )
