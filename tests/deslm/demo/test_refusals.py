"""What the demo and the question refuse before they begin: one sentence, status 2, nothing written."""

from types import SimpleNamespace

import pytest

from deslm import ask
from deslm.cli import main
from deslm.demo import recall as recalled
from deslm.demo.network import Roles


@pytest.mark.parametrize(
    ("option", "value"), [("questions", "0"), ("questions", "-5"), ("unknown", "-1"), ("seed", "-1"), ("jobs", "0")]
)
def test_numbers_that_make_no_run(tmp_path, capsys, option, value):
    assert main(["demo", "--out", str(tmp_path / "run"), f"--{option}", value]) == 2
    said = capsys.readouterr().err
    assert f"--{option} must be at least" in said and said.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_question_that_no_model_reads(tmp_path, capsys, monkeypatch):
    """The models are asked before the ledger is copied."""

    class Brief:
        def answer(self, questions):
            raise ValueError("The prompt has 301 tokens, but this model reads at most 64: ask more briefly.")

    company = SimpleNamespace(roles=Roles({"demo-a": Brief()}, {}))
    monkeypatch.setattr(recalled, "recall", lambda run: company)
    monkeypatch.setattr(ask, "configure", lambda run: None)
    assert main(["ask", "word " * 300, "--run", str(tmp_path)]) == 2
    assert "at most 64: ask more briefly" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
