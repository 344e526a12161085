"""Files of figures: what cannot be read or written is refused with one sentence before anything is played."""

import json
from pathlib import Path

import pytest

from benchmarks.kept import read_figures, write_figures
from benchmarks.parameters import __main__ as parameters
from benchmarks.parameters import study


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    write_figures(path, {"demo": {"wrong": [0.5, 0.1]}})
    assert read_figures(path, ["demo", "reference"]) == {"demo": {"wrong": [0.5, 0.1]}}
    assert [each.name for each in tmp_path.iterdir()] == ["figures.json"]


@pytest.mark.parametrize("text", ["not json", "[]", "{}", '{"other": 1}', None])
def test_a_file_without_figures_is_named(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ValueError, match=r"figures\.json") as caught:
        read_figures(path, ["demo"])
    assert "\n" not in str(caught.value)


TINY_DEMO = {"demo": {"hypercube": {}}, "scales": {"demo": study.TINY._asdict()}}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--tables", "none.json"], "none.json cannot be read"),
        (["--out", "none/study.json"], "folder that exists"),
        (["--tables", "small.json", "--picture", "none/front.svg"], "folder that exists"),
        (["--picture", "front.svg"], "--tables one to print"),
        (["--out", "small.json", "--law", "demo"], "another scale"),
        (["--out", "new.json", "--law", "demo", "--part", "front"], "--part hypercube first"),
    ],
)
def test_the_study_refuses_before_it_plays(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.json").write_text(json.dumps(TINY_DEMO))
    monkeypatch.setattr("sys.argv", ["parameters", *arguments])
    with pytest.raises(SystemExit) as caught:
        parameters.main()
    assert caught.value.code == 2
    assert sentence in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["small.json"]
