"""`deslm profile`: what a run's nodes said, with the truth beside it, becomes numbers."""

import json
from pathlib import Path

import pytest

from consensus.simulator.profiles import read_profile
from deslm import cli
from deslm.demo.observe import observe, see
from tests.deslm.demo.small_run import Played


def test_every_opinion_is_seen_with_its_truth(played: Played) -> None:
    observed = observe(played.setting.folder.root)
    seen = see(observed)
    truths = {question.text: question.truth for question in played.setting.questions}
    assert {question.text for question in seen.questions} == set(truths)
    taught = {question.text: question.taught for question in played.setting.questions}
    assert all((question.kind == "taught") == taught[question.text] for question in seen.questions)
    canaries = {question.text for question in played.setting.questions if question.canary}
    assert {question.text for question in seen.questions if question.is_canary} == canaries
    assert all(observed.truths(text) == (truth,) for text, truth in truths.items())
    for one in seen.answers:
        assert one.is_so == (one.candidate.casefold() == truths[one.question].casefold())
        assert bool(one.model) == one.node.startswith("gen-")
    for one in seen.verdicts:
        assert one.is_so == (one.candidate.casefold() != truths[one.question].casefold())
        assert bool(one.model) == one.node.startswith("dis-")


def test_the_command_writes_a_profile(played: Played, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "profile.json"
    assert cli.main(["profile", str(played.setting.folder.root), "--out", str(out)]) == 0
    profile = read_profile(out)
    assert {line.name for line in profile.models} == {"demo-a", "demo-b", "demo-c", "demo-v", "demo-w"}
    assert profile.generators.models == 3 and profile.verifiers.models == 2
    assert sum(kind.share for kind in profile.kinds) == pytest.approx(1)
    assert "generator demo-a" in capsys.readouterr().out


def test_refusals(played: Played, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert cli.main(["profile", str(tmp_path / "none")]) == 2
    assert "holds no finished run" in capsys.readouterr().err
    root = played.setting.folder.root
    options = json.loads((root / "run.json").read_text())
    (tmp_path / "summary.json").write_text((root / "summary.json").read_text())
    for changed, sentence in (
        ({**options, "facts": str(tmp_path / "gone")}, "is not what it was"),
        ({**options, "templates": str(tmp_path / "gone")}, "is not what it was"),
        ({"seed": 0}, "are damaged"),
    ):
        (tmp_path / "run.json").write_text(json.dumps(changed))
        assert cli.main(["profile", str(tmp_path)]) == 2
        assert sentence in capsys.readouterr().err
