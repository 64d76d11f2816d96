"""Where the table of a file starts and what its columns are called, told by nobody."""

from __future__ import annotations

import pytest

from chalicelib.config import CsvOptions
from chalicelib.errors import SourceError
from tests.extract.readers.support import ReadFile, columns

TYPED = "1,Ada,2026-01-31\n2,Alan,2026-02-01\n"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("id,name,day\n" + TYPED, ["id", "name", "day"]),
        (TYPED, ["column_1", "column_2", "column_3"]),
        ("first,last\nAda,Lovelace\n", ["first", "last"]),
        ("country,2019,2020\nDE,5,6\nFR,7,8\n", ["country", "2019", "2020"]),
        (",Sales,\nid,q1,q2\n1,2,3\n4,5,6\n", ["id", "Sales_q1", "Sales_q2"]),
        (
            "id,Q1,,Q2,\n,sales,cost,sales,cost\n1,1,2,3,4\n",
            ["id", "Q1_sales", "Q1_cost", "Q2_sales", "Q2_cost"],
        ),
        ("id,Q1,\n,sales,cost\n1,1,2\n", ["id", "Q1_sales", "Q1_cost"]),
        ("Q1,Q1,Q2\nsales,cost,sales\n1,1,2\n", ["Q1_sales", "Q1_cost", "Q2_sales"]),
        ("id,weight,size\n,(kg),[cm]\n1,2,3\n", ["id", "weight_kg", "size_cm"]),
        ("id,name,\n1,Ada,\n2,Alan,\n", ["id", "name"]),
        ("id,name\n1,Ada,\n2,Alan,\n", ["id", "name"]),
        (",name\n0,Ada\n1,Alan\n", ["column_1", "name"]),
        ("id,x,x\n1,2,3\n4,5,6\n", ["id", "x", "x_2"]),
        ("sep=;\nid;name\n1;Ada\n2;Alan\n", ["id", "name"]),
        ("sep=;\n1;2026-01-31\n2;2026-02-01\n", ["column_1", "column_2"]),
        ("# shop 3\n# by, Ada\nid,name\n1,Ada\n2,Alan\n", ["id", "name"]),
        ("#id,day\n1,2026-01-31\n2,2026-02-01\n", ["#id", "day"]),
        ("1,2026-01-31\n", ["column_1", "column_2"]),
        ("1,Anna\n", ["column_1", "column_2"]),
        ("name\nLovelace, Ada\nTuring\n", ["name"]),
    ],
)
def test_columns_are_called_as_a_person_would_call_them(
    read: ReadFile, text: str, names: list[str]
) -> None:
    found = read("a.csv", text)
    assert list(found.rows[0]) == names
    assert found.rejects == []


@pytest.mark.parametrize(
    "text",
    [
        "|id|name|\n|---:|:---|\n|1|Ada|\n|2|Alan|\n",
        "id|name\n--+-----\n1|Ada\n2|Alan\n",
        "id\tname\n--\t-----\n1\tAda\n2\tAlan\n",
    ],
)
def test_a_rule_below_the_header_is_no_row(read: ReadFile, text: str) -> None:
    found = read("a.csv", text)
    assert (found.rows, found.rejects) == (
        [{"id": "1", "name": "Ada"}, {"id": "2", "name": "Alan"}],
        [],
    )
    assert (found.lines, found.repaired["rule below the header, left out"]) == ([3, 4], [2])


def test_a_row_of_types_below_the_header_is_no_row(read: ReadFile) -> None:
    found = read("a.csv", "id,a,b\nint,float,varchar(20)\n1,2.5,x\n2,3.5,y\n")
    assert [row["id"] for row in found.rows] == ["1", "2"]
    assert found.repaired == {"types below the header, left out": [2]}
    found = read("a.csv", "column,type\ndate,date\nid,integer\n")
    assert [row["column"] for row in found.rows] == ["date", "id"]


@pytest.mark.parametrize("header", ["id,name\n", "country,2019,2020\n", "first 10,b\n"])
def test_a_header_alone_is_no_row(read: ReadFile, header: str) -> None:
    assert read("a.csv", header).rows == []


def test_lines_before_the_table_are_skipped_and_counted(read: ReadFile) -> None:
    text = 'Report of "January"\nShop;3\n\nid;name;amount\n1;Ada;2,50\n2;Alan;3,50\n'
    found = read("a.csv", text)
    assert found.rows[0] == {"id": "1", "name": "Ada", "amount": "2,50"}
    assert found.lines == [5, 6]
    assert (found.detected["header"], found.detected["lines skipped"]) == ("line 4", "3")


def test_the_header_is_the_record_with_the_names_of_the_schema(read: ReadFile) -> None:
    declared = columns("name", number={"type": "integer", "from": "No."})
    text = "a,b\nx,y\nname,No.\nAda,1\n"
    assert read("a.csv", text, columns=declared).rows == [{"name": "Ada", "No.": "1"}]


def test_without_a_header_columns_are_those_of_the_schema_in_its_order(read: ReadFile) -> None:
    found = read("a.csv", TYPED, columns=columns("number", "person", "day"))
    assert found.rows[0] == {"number": "1", "person": "Ada", "day": "2026-01-31"}
    assert found.lines == [1, 2]
    assert found.detected["header"] == "none, columns as in the schema"


@pytest.mark.parametrize(
    ("text", "declared", "message"),
    [
        (TYPED, ("number", "day"), "line 1: there is no header, and 3 columns where the schema"),
        ("id,name\n1,2\n", ("order", "buyer"), "line 1: no column 'order'"),
        ("id,id\n1,2\n", ("id",), "line 1: two columns are called 'id', and the schema wants one"),
    ],
)
def test_a_header_that_leaves_the_schema_without_its_columns_is_refused(
    read: ReadFile, text: str, declared: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SourceError, match=message):
        read("a.csv", text, columns=columns(*declared))


def test_a_file_that_may_have_no_header_is_told_how_to_say_so(read: ReadFile) -> None:
    text, declared = "Anna,Berlin\nBernd,Bonn\n", columns("name", "city")
    with pytest.raises(SourceError, match=r"no column 'name'.*csv.header: none, if this line is a"):
        read("a.csv", text, columns=declared)
    found = read("a.csv", text, columns=declared, options=CsvOptions(header="none"))
    assert found.rows[0] == {"name": "Anna", "city": "Berlin"}
    with pytest.raises(SourceError) as refused:
        read("a.csv", "Anna,Berlin,x\n", columns=declared)
    assert "csv.header" not in str(refused.value)


def test_a_header_without_a_required_column_is_refused_with_a_guess(read: ReadFile) -> None:
    declared = columns(order_id={"type": "text", "required": True, "from": "id"})
    with pytest.raises(SourceError, match=r"no column 'id' or 'order_id'.*is it 'order id'"):
        read("a.csv", "order id,b\n1,2\n", columns=declared)


def test_a_header_that_nobody_could_tell_is_asked_for(read: ReadFile) -> None:
    text = "first,last\nAda,Lovelace,x\nAlan,Turing,y\n"
    with pytest.raises(SourceError, match=r"line 1: nobody can tell.*csv.header: 1"):
        read("a.csv", text)
    found = read("a.csv", text, options=CsvOptions(header=("first", "last", "x"), skip_lines=1))
    assert found.rows[0] == {"first": "Ada", "last": "Lovelace", "x": "x"}


@pytest.mark.parametrize("text", ["price\n1,50\n2,75\n", "Shop 3\n1,2026-01-31\n2,2026-02-01\n"])
def test_a_line_that_may_be_a_header_is_not_skipped(read: ReadFile, text: str) -> None:
    with pytest.raises(SourceError, match=r"line 1: nobody can tell .*csv.delimiter: none"):
        read("a.csv", text)
    found = read("a.csv", text, options=CsvOptions(delimiter="none"))
    assert list(found.rows[0]) == text.splitlines()[:1]


@pytest.mark.parametrize("row", [",NA,NA,NA", "NA,NA,NA,NA"])
def test_a_row_without_values_is_no_second_header(read: ReadFile, row: str) -> None:
    found = read("a.csv", f",x,y,z\n{row}\n1,2,3,4\n")
    assert len(found.rows) == 2


@pytest.mark.parametrize(
    ("options", "names", "lines"),
    [
        ({"header": 1}, ["1", "Ada", "2026-01-31"], [2]),
        ({"header": "none"}, ["column_1", "column_2", "column_3"], [1, 2]),
        ({"header": ["a", "b", "c"]}, ["a", "b", "c"], [1, 2]),
        ({"header": "none", "skip_lines": 1}, ["column_1", "column_2", "column_3"], [2]),
    ],
)
def test_what_is_configured_is_obeyed(
    read: ReadFile, options: dict[str, object], names: list[str], lines: list[int]
) -> None:
    found = read("a.csv", TYPED, options=CsvOptions.model_validate(options))
    assert (list(found.rows[0]), found.lines) == (names, lines)


def test_skipped_lines_have_no_say_in_the_dialect(read: ReadFile) -> None:
    text = "a,b\nc,d\ne,f\nid;name\n1;Ada\n"
    assert read("a.csv", text, options=CsvOptions(skip_lines=3)).rows == [
        {"id": "1", "name": "Ada"}
    ]


@pytest.mark.parametrize("rows", [2, 3, 9])
def test_header_rows_may_differ_in_width_or_be_missing(read: ReadFile, rows: int) -> None:
    found = read("a.csv", "x\nid,name\n1,Ada\n", options=CsvOptions(header=rows))
    assert len(found.rows) == max(3 - rows, 0)


def test_a_header_with_a_quote_that_is_never_closed_costs_no_row(read: ReadFile) -> None:
    found = read("a.csv", 'id,"name\n' + "1,Ada\n" * 20_000)
    assert len(found.rows) + len(found.rejects) == 20_000


def test_what_was_renamed_is_told(read: ReadFile) -> None:
    assert read("a.csv", "id,x,x,\n1,2,3,4\n5,6,7,8\n").repaired == {
        "two columns are called 'x'": [1],
        "column 4 has no name": [1],
    }


def test_a_table_before_a_longer_one_is_no_preamble(read: ReadFile) -> None:
    second = "".join(f"T-{number},{number}.50\n" for number in range(20))
    found = read("a.csv", "id,name,day\n" + TYPED + "\nsku,price\n" + second)
    assert [row["name"] for row in found.rows] == ["Ada", "Alan"]
    assert found.detected["second table"] == "line 5"
    assert len(found.rejects) == 21
