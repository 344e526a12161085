"""Really small models, really trained: they learn, they check, and the control without evidence learns nothing."""

import json
from pathlib import Path

import jax
import pytest

from train import discriminator, evaluate, generator, runs
from train.facts import load_facts
from train.parallel import data_mesh

RELATIONS = ("capital", "atomic number", "symbol")


@pytest.fixture(scope="module")
def facts(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("facts") / "facts.tsv"
    rows = ["\t".join(fact) for fact in load_facts() if fact.relation in RELATIONS]
    path.write_text("\n".join(["subject\trelation\tobject", *rows]) + "\n")
    return path


@pytest.mark.slow
def test_small_models_trained_on_three_relations(facts, tmp_path, monkeypatch, capsys):
    """The acceptance of the demo's models, at a third of its facts and with room for a bad seed."""
    monkeypatch.setattr(runs, "data_mesh", lambda: data_mesh(jax.devices()[:1]))
    options = ["--facts", str(facts), "--d-model", "64", "--d-ff", "256"]
    assert generator.main([*options, "--out", str(tmp_path / "g"), "--steps", "250"]) == 0
    assert discriminator.main([*options, "--out", str(tmp_path / "v"), "--steps", "200"]) == 0
    capsys.readouterr()
    folders = [str(tmp_path / "g"), str(tmp_path / "v")]
    assert evaluate.main([*folders, "--facts", str(facts), "--control", str(tmp_path / "control")]) == 0
    figures = json.loads(capsys.readouterr().out)
    answers, verdicts = figures["generators"][folders[0]], figures["discriminators"][folders[1]]
    assert answers["seen_wordings"]["exact_match"] > 0.95
    assert answers["unseen_wordings"]["exact_match"] > 0.6 > answers["baseline_most_frequent_object"]
    assert answers["all_but_untaught_subjects"]["auroc"] > 0.85
    assert answers["all_but_untaught_subjects"]["ece"] < 0.1
    assert verdicts["held_out_subjects"]["accuracy"] > 0.9 > verdicts["baseline_majority"]
    assert verdicts["held_out_subjects"]["auroc"] > 0.95
    assert verdicts["real_candidates"]["accuracy"] > 0.9
    assert 0.42 < figures["closed_book_control"]["accuracy"] < 0.6
