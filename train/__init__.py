"""Learning: facts and wordings, data as a function of (seed, step), one pure step, runs that stop and resume.

    python -m train.generator --out runs/generator        teach a model to answer
    python -m train.discriminator --out runs/verifier     teach a model to check answers against evidence
    python -m train.evaluate runs/generator runs/verifier

To change what is learnt open `recipes`; where examples come from, `questions` and `claims`; the step, `step`; how runs
stop and resume, `loop` and `checkpoints`. docs/TRAINING.md has the measured figures.
"""
