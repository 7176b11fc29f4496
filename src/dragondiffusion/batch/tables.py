"""Tables that a line of a batch is repeated over, and their cells in place of `{column}`."""

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from ..core.messages import is_file
from ..core.strict_json import Json, parse_json, shown
from ..recipes.cells import Cell

Row: TypeAlias = Mapping[str, Json]
"""Cells by column. Those of CSV files are `Cell`s, whose field says what they mean; others are JSON as it stands."""

MARK = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
"""What stands for something else in a text: a column, or a brace that is doubled."""

MAX_TABLE_BYTES = 2**30
"""Largest table that is read, bytes. Source: chosen, millions of rows."""


def read_rows(path: Path, name: str) -> Iterator[Row]:
    """The rows of a table.

    Args:
        path: a CSV file with the names of the columns in its first row, or a JSONL file with an object on each line.
        name: what it is called in messages.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is of another kind, or a row is broken; the message says which.
    """
    if not is_file(path, name):
        raise FileNotFoundError(f"{name} does not exist; check the path")
    if path.stat().st_size > MAX_TABLE_BYTES:
        raise ValueError(f"{name} has more than {MAX_TABLE_BYTES} bytes; divide it")
    if path.suffix.lower() not in (".csv", ".jsonl"):
        raise ValueError(f"{name} must end in .csv or .jsonl; write the table in one of these forms")
    rows = _csv_rows(path, name) if path.suffix.lower() == ".csv" else _json_rows(path, name)
    try:
        yield from rows
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not a text in UTF-8; save it as one") from error


def _csv_rows(path: Path, name: str) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            columns = [column.strip() for column in next(reader, [])]
            if not columns or len(set(columns)) < len(columns) or "" in columns:
                raise ValueError(f"{name} must name its columns in the first row, each once; it has {shown(columns)}")
            for number, cells in enumerate((cells for cells in reader if cells), start=1):
                if len(cells) != len(columns):
                    raise ValueError(
                        f"{name}, row {number} has {len(cells)} cells and the table {len(columns)} columns; correct it"
                    )
                yield {column: Cell(cell.strip()) for column, cell in zip(columns, cells, strict=True)}
        except csv.Error as error:
            raise ValueError(f"{name}, line {reader.line_num} is not CSV ({error}); correct it") from error


def _json_rows(path: Path, name: str) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate((line for line in file if line.strip()), start=1):
            row = parse_json(line, f"{name}, row {number}")
            if not isinstance(row, dict):
                raise ValueError(f"{name}, row {number} is {shown(row)}; expected an object with columns")
            yield row


def filled(value: Json, row: Row, at: str = "") -> Json:
    """JSON with the cells of a row in place of `{column}`.

    A text that is nothing but `{column}` becomes the cell, of whatever kind it is; in longer texts it is written out.
    A field whose cell is empty (a CSV's, or null) is left out. `{{` and `}}` stand for braces.

    Args:
        value: JSON.
        row: the row.
        at: where the value stands, for messages.

    Raises:
        ValueError: if there is no such column, or a cell has no place in a text.
    """
    if isinstance(value, dict):
        found = {name: filled(one, row, f"{at}.{name}" if at else name) for name, one in value.items()}
        return {name: one for name, one in found.items() if not (_empty(one) and value[name] is not None)}
    if isinstance(value, list):
        return [filled(one, row, f"{at}[{k}]") for k, one in enumerate(value)]
    return in_text(value, row, at) if isinstance(value, str) else value


def in_text(text: str, row: Row, at: str) -> Json:
    """A text with cells in place of `{column}`, see `filled`."""
    whole = MARK.fullmatch(text)
    if whole is not None and whole[1] is not None:
        return _cell(whole[1], row, at)

    def written(mark: re.Match[str]) -> str:
        if mark[0] in ("{{", "}}"):
            return mark[0][0]
        if mark[1] is None:
            raise ValueError(f"{at} has a single brace in {shown(text)}; write {{{{ or }}}} for a brace itself")
        cell = _cell(mark[1], row, at)
        if isinstance(cell, bool) or not isinstance(cell, (str, int, float)):
            raise ValueError(
                f"{at}: column {mark[1]} holds {shown(cell)}, which is no text or number to be written out"
            )
        return str(cell)

    return MARK.sub(written, text)


def _cell(column: str, row: Row, at: str) -> Json:
    if column not in row:
        raise ValueError(f'{at} asks for column "{column}", which is none; columns are {", ".join(row)}')
    return row[column]


def _empty(value: Json) -> bool:
    return value is None or (isinstance(value, Cell) and not value)
