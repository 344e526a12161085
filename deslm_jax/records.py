"""Tables of facts in files: what a knowledge base searches and a generator learns.

A file is tab-separated text with a header line naming its columns, or JSONL (one object a line, the columns its keys).
Further columns are ignored; UTF-8, with or without a byte-order mark, LF or CRLF. A mistake names file and line.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f]"
)  # no message may hold one, so no question about such a fact could be asked


class Record(NamedTuple):
    """One fact of a knowledge base."""

    id: int  # place in the file, counted from 0 without repetitions; a verdict cites it
    subject: str  # what the fact is about: "Peru"
    relation: str  # which of its properties: "capital"
    object: str  # the property's one value: "Lima"

    @property
    def text(self) -> str:
        """The evidence a discriminator reads.

        >>> Record(0, "Peru", "capital", "Lima").text
        'capital of Peru: Lima'
        """
        return f"{self.relation} of {self.subject}: {self.object}"


def read_records(path: str | Path) -> tuple[Record, ...]:
    """Returns the facts of the file with the columns subject, relation and object, in its order.

    One subject has one object for a relation: a line that contradicts an earlier one is a ValueError, a repeated line
    is read once. A file that is missing, empty, not UTF-8 or malformed is a ValueError that says where and what to do.
    """
    lines: dict[tuple[str, str], tuple[str, int]] = {}
    for number, (subject, relation, value) in read_columns(path, ("subject", "relation", "object")):
        known, first = lines.setdefault((subject, relation), (value, number))
        if known != value:
            raise ValueError(
                f"{path}, line {number}: the {relation} of {subject} is {value!r} here and {known!r} in line {first}; "
                "keep one."
            )
    return tuple(Record(i, *key, value) for i, (key, (value, _)) in enumerate(lines.items()))


def read_columns(path: str | Path, columns: Sequence[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yields (line number from 1, the fields of `columns` in that order) of each line that is not blank.

    Fields lose the spaces around them; an empty or missing one is a ValueError, as is a file that holds no line.
    """
    lines = [(i, line.rstrip("\r")) for i, line in enumerate(_read_text(path).split("\n"), start=1) if line.strip()]
    if lines and lines[0][1].lstrip().startswith("{"):
        rows: Iterator[tuple[int, tuple[str, ...]]] = (
            (i, _json_fields(f"{path}, line {i}", line, columns)) for i, line in lines
        )
    else:
        rows = _tsv_rows(path, lines, columns)
    empty = True
    for number, fields in rows:
        for name, field in zip(columns, fields, strict=True):
            if not field:
                raise ValueError(f"{path}, line {number}: the {name} is empty; fill it in or delete the line.")
            if _CONTROL.search(field):
                raise ValueError(f"{path}, line {number}: the {name} holds a control character; delete it.")
        empty = False
        yield number, fields
    if empty:
        raise ValueError(f"{path}: no line of data; expected the columns {', '.join(columns)}.")


def _read_text(path: str | Path) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror}); give the path of a TSV or JSONL file.") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ValueError(f"{path}, line {line}: not UTF-8; save the file as UTF-8 text.") from None


def _tsv_rows(
    path: str | Path, lines: Sequence[tuple[int, str]], columns: Sequence[str]
) -> Iterator[tuple[int, tuple[str, ...]]]:
    header = [name.strip() for name in lines[0][1].split("\t")] if lines else []
    for name in columns:
        if header.count(name) != 1:
            number = lines[0][0] if lines else 1
            raise ValueError(
                f"{path}, line {number}: the header must name the column {name!r} once; "
                f"begin the file with {'<TAB>'.join(columns)}."
            )
    places = [header.index(name) for name in columns]
    for number, line in lines[1:]:
        fields = [field.strip() for field in line.split("\t")]
        if not max(places) < len(fields) <= len(header):
            raise ValueError(
                f"{path}, line {number}: {len(fields)} fields where the header has {len(header)}; "
                "separate the fields with single tabs."
            )
        yield number, tuple(fields[place] for place in places)


def _json_fields(where: str, line: str, columns: Sequence[str]) -> tuple[str, ...]:
    try:
        row = json.loads(line)
        json.dumps(row, ensure_ascii=False).encode()  # half of a surrogate pair is JSON, but no text
    except (ValueError, RecursionError):
        raise ValueError(f"{where}: not JSON text; write one object a line.") from None
    if not isinstance(row, dict):
        raise ValueError(f"{where}: not an object; write the keys {', '.join(columns)}.")
    for name in columns:
        value = row.get(name)
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise ValueError(f"{where}: the key {name!r} is missing or no text; write the keys {', '.join(columns)}.")
    return tuple(" ".join(str(row[name]).split()) for name in columns)
