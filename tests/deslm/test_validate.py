"""`deslm validate`: the law's table, one verdict a row, and a status that a script can trust."""

import json
import re
import subprocess
import sys

import pytest

from consensus import validation
from consensus.validation.rows import Row
from deslm import cli, validate

GOOD = Row("a jury", "3 jurors", "majority", "somebody 1785", (0.5,), (0.5000001,), 1e-6)
OFF = Row("a committee", "4 seats", "seats R2", "somebody else", (1e-9, 2e-9), (1e-9, 2.2e-9), 0.05, True)


@pytest.fixture
def show(monkeypatch, capsys):
    """Run the command on these rows; returns the status and what it printed."""

    def run(rows, *arguments):
        monkeypatch.setattr(validation, "validate", lambda: rows, raising=False)
        status = cli.main(["validate", *arguments])
        return status, capsys.readouterr().out

    return run


def test_all_rows_within_tolerance_end_with_0(show):
    status, shown = show([GOOD])
    assert status == 0
    assert re.search(r"^a jury +3 jurors +majority +0\.5 +0\.5000001 +1\.0e-07 +1\.0e-06 +ok$", shown, re.MULTILINE)
    assert "  a jury: somebody 1785\n" in shown
    assert shown.endswith("all 1 rows are within tolerance\n")


def test_one_row_off_ends_with_1(show):
    status, shown = show([GOOD, OFF])
    assert status == 1
    assert re.search(r"^a committee .* 10 % +5 % +OFF$", shown, re.MULTILINE)
    assert shown.endswith("1 of 2 rows are OFF\n")


def test_columns_are_aligned(show):
    lines = show([GOOD, OFF])[1].splitlines()[:3]
    starts = [[match.start() for match in re.finditer(r"(?<=  )\S", line)] for line in lines]
    assert starts[0] == starts[1] == starts[2]


@pytest.mark.parametrize(("rows", "status"), [([GOOD], 0), ([GOOD, OFF], 1)])
def test_json_holds_the_whole_row(show, rows, status):
    found, shown = show(rows, "--json")
    assert found == status
    table = json.loads(shown)
    assert [line["verdict"] for line in table] == ["ok", "OFF"][: len(rows)]
    assert table[0]["source"] == "somebody 1785"
    assert table[0]["published"] == [0.5]
    assert table[0]["deviation"] == pytest.approx(1e-7)


def test_a_rule_that_gives_no_number_is_off_and_valid_json(show):
    status, shown = show([GOOD._replace(ours=(float("nan"),))], "--json")
    assert status == 1
    refuse = lambda constant: pytest.fail(f"{constant} is no JSON")
    [line] = json.loads(shown, parse_constant=refuse)
    assert (line["ours"], line["deviation"], line["verdict"]) == ([None], None, "OFF")


def test_the_real_table_has_every_line_of_the_law_and_needs_no_jax(repository_root):
    code = (
        "import sys; from deslm import cli; status = cli.main(['validate', '--json'])\n"
        "assert not {'jax', 'jaxlib', 'flax'} & set(sys.modules)\n"
        "sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    table = json.loads(done.stdout)
    law = (repository_root / "docs" / "PROTOCOL.md").read_text()
    law = law[law.index("## Published or derivable numbers") :]
    expected = "".join(line.split("|")[3] for line in law.splitlines() if line.startswith("| ") and "---" not in line)
    expected = re.sub(r"(?<=\d) (?=\d{3})", "", expected)
    published = [number for line in table for number in line["published"]]
    named = [float(number) for number in re.findall(r"(?<![\w.])\.\d{3,}|\d{9,}|\d\.\de-\d+", expected)]
    assert len(named) > 15
    missing = [number for number in named if number not in published]
    assert not missing, f"deslm validate does not compute {missing}"
    rows = [Row(**{name: line[name] for name in Row._fields}) for line in table]
    printed = validate.format_table(rows, 0).split("\n\nsources")[0]
    documented = (repository_root / "docs" / "VALIDATION.md").read_text()
    assert printed in documented, "the table in docs/VALIDATION.md is another; paste what deslm validate prints"
