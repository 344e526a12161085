"""A dry run says what the run would cost, and leaves no trace."""

import os

import pytest

from deslm_jax.cost import count_parameters
from train import discriminator, generator


@pytest.mark.parametrize("trainer", [generator, discriminator])
def test_a_dry_run_tells_size_and_cost_and_writes_nothing(trainer, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seen = []
    make = {generator: "generator_config", discriminator: "discriminator_config"}[trainer]
    made = getattr(trainer, make)
    monkeypatch.setattr(trainer, make, lambda *arguments: seen.append(made(*arguments)) or seen[-1])
    options = ["--dry-run", "--out", "model", "--tokenizer", "t.model", "--d-model", "32", "--steps", "7", "--fresh"]
    assert trainer.main(options) == 0
    told = capsys.readouterr().out
    assert f"{count_parameters(seen[0]):,}" in told and "7 steps of 64 examples" in told and seen[0].d_model == 32
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("trainer", [generator, discriminator])
def test_a_run_that_writes_must_know_where(trainer, capsys):
    assert trainer.main([]) == 2
    assert "--out" in capsys.readouterr().err
