"""The two command lines on a user's own facts: what they write, what they refuse, and that nothing is lost."""

import json
import os
import signal

import jax
import pytest

from deslm_jax.bundle import load_bundle
from deslm_jax.knowledge import KnowledgeBase
from deslm_jax.roles import DiscriminatorRole, GeneratorRole
from train import discriminator, generator, loop, runs
from train.metrics import read_metrics
from train.parallel import data_mesh

TINY = [
    "--steps=6",
    "--batch-size=8",
    "--d-model=16",
    "--n-heads=2",
    "--d-ff=32",
    "--encoder-layers=1",
    "--vocab-size=600",
]


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    """Relations that the bundled facts do not have."""
    path = tmp_path_factory.mktemp("facts") / "zoo.jsonl"
    diets, homes = ("grass", "fish", "leaves"), ("savanna", "sea", "forest", "desert")
    rows = []
    for i in range(60):
        rows.append({"subject": f"Animal {i}", "relation": "diet", "object": diets[i % 3]})
        rows.append({"subject": f"Animal {i}", "relation": "habitat", "object": homes[i % 4]})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def one_device(monkeypatch):
    """Compiles three times faster than a program for eight."""
    monkeypatch.setattr(runs, "data_mesh", lambda: data_mesh(jax.devices()[:1]))


def _bytes(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_stopped_generator_resumes_to_the_same_bytes(one_device, facts, tmp_path, monkeypatch, capsys):
    """Stopped by SIGTERM in the fourth step; the bundle is byte for byte that of the uninterrupted run."""
    command = ["--facts", str(facts), *TINY]
    assert generator.main([*command, "--out", str(tmp_path / "whole")]) == 0
    land, landed = loop._land, []

    def stop_once(flying, keep, log):
        landed.append(len(flying))
        if len(landed) == 4:
            os.kill(os.getpid(), signal.SIGTERM)
        land(flying, keep, log)

    monkeypatch.setattr(loop, "_land", stop_once)
    assert generator.main([*command, "--out", str(tmp_path / "split")]) == 128 + signal.SIGTERM
    assert "the same command resumes" in capsys.readouterr().err
    assert not (tmp_path / "split").exists()
    assert generator.main([*command, "--out", str(tmp_path / "split")]) == 0
    assert _bytes(tmp_path / "whole") == _bytes(tmp_path / "split")
    assert [line["step"] for line in read_metrics(tmp_path / "split.training" / "metrics.jsonl")][-1] == 6
    assert not (tmp_path / "split.training" / "checkpoints").exists()

    answer = GeneratorRole.from_bundle(tmp_path / "split").answer(["What is the diet of Animal 3?"])[0]
    assert 0 < answer.confidence < 1
    before = _bytes(tmp_path / "split")
    assert generator.main([*command, "--out", str(tmp_path / "split")]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert generator.main([*command, "--out", str(tmp_path / "split"), "--seed", "5"]) == 2
    assert "other settings" in capsys.readouterr().err
    assert _bytes(tmp_path / "split") == before


def test_a_verifier_on_a_users_facts(one_device, facts, tmp_path):
    assert discriminator.main(["--facts", str(facts), "--out", str(tmp_path / "v"), *TINY]) == 0
    bundle = load_bundle(tmp_path / "v")
    assert bundle.provenance["settings"]["recipe"]["steps"] == 6
    role = DiscriminatorRole(bundle, KnowledgeBase.from_path(facts))
    verdict = role.judge([("What is the diet of Animal 3?", "grass")])[0]
    assert verdict.evidence[0] == 6


def test_pairs_instead_of_facts_on_eight_devices(tmp_path):
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("question\tanswer\n" + "".join(f"Who is number {i}?\tPerson {i}\n" for i in range(80)))
    assert generator.main(["--pairs", str(pairs), "--out", str(tmp_path / "g"), *TINY]) == 0
    bundle = load_bundle(tmp_path / "g")
    assert 60 < bundle.provenance["taught_questions"] < 80
    assert bundle.provenance["calibration_figures"]["count"] == 80 - bundle.provenance["taught_questions"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--facts", "no/such/file.tsv"], "no/such/file.tsv"),
        (["--steps", "0"], "steps must be at least 1"),
        (["--noise-drop", "1.5"], "noise_drop must be between 0 and 1"),
        (["--learning-rate", "0"], "learning_rate must be above 0"),
        (["--confidence-cap", "1"], "confidence_cap must be between 0.5 and 1"),
        (["--batch-size", "12"], "12 rows cannot be dealt to 8 devices"),
        (["--threads", "0"], "threads must be at least 1"),
        (["--d-model", "17", "--steps", "1"], "d_model 17 must be a multiple of n_heads"),
    ],
)
@pytest.mark.parametrize("trainer", [generator, discriminator])
def test_what_cannot_be_is_one_sentence_and_leaves_nothing(tmp_path, capsys, trainer, options, message):
    assert trainer.main([*options, "--out", str(tmp_path / "m")]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_malformed_facts_are_named_by_line(tmp_path, capsys):
    path = tmp_path / "facts.tsv"
    path.write_text("subject\trelation\tobject\nPeru\tcapital\tLima\nChile\tcapital\t\n")
    assert generator.main(["--facts", str(path), "--out", str(tmp_path / "m")]) == 2
    assert "line 3" in capsys.readouterr().err
    path.write_text("subject\trelation\tobject\nPeru\tcapital\tLima\n")
    assert discriminator.main(["--facts", str(path), "--out", str(tmp_path / "m")]) == 2
    assert "give more facts" in capsys.readouterr().err
    assert generator.main(["--pairs", "a.tsv", "--facts", "b.tsv", "--out", str(tmp_path / "m")]) == 2
    assert "Give one of" in capsys.readouterr().err
