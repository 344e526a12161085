"""A made-up but lifelike run for the report page; `python tests/deslm/report_sample.py page.html` writes its page."""

import math
import random
import sys
from pathlib import Path

from consensus.files import write_text
from deslm.report import (
    Candidate,
    Curve,
    DiscriminatorSeat,
    GeneratorSeat,
    Node,
    Payment,
    Point,
    ReportData,
    Round,
    Score,
    Unknown,
    Verdict,
    build_report,
    reliability,
)

PLACES = (
    ("Peru", "Lima"), ("Chile", "Santiago"), ("Kenya", "Nairobi"), ("Norway", "Oslo"), ("Japan", "Tokyo"),
    ("Ghana", "Accra"), ("Cuba", "Havana"), ("Egypt", "Cairo"), ("Nepal", "Kathmandu"), ("Qatar", "Doha"),
    ("Antigua and Barbuda", "Saint John's"), ("Colombia", "Bogotá"), ("Saint Vincent and the Grenadines", "Kingstown"),
)  # fmt: skip
WORDINGS = ("Which city is the capital of {}?", "Name the seat of government of {}.", "{} is governed from which city?")
BEHAVIOURS = {"generator": ("inflator", "copycat"), "discriminator": ("flag_everything", "withholder")}
KAPPA, RHO_G, RHO_D = 1.5, 0.3, 0.5


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def clip(value: float, bound: float = 3.0) -> float:
    return max(-bound, min(bound, value))


def node_names(role: str) -> list[tuple[str, str]]:
    """Return (name, behaviour) of the role's eight nodes."""
    behaviours = ("honest",) * 6 + BEHAVIOURS[role]
    return [(f"{role[:3]}-{index}", behaviour) for index, behaviour in enumerate(behaviours, start=1)]


def sample_round(rng: random.Random, number: int, *, taught: bool) -> Round:
    """Return one round with everything that a real one carries."""
    subject, truth = rng.choice(PLACES)
    others = [city for _, city in PLACES if city != truth]
    texts: list[str] = []
    generators = []
    for name, behaviour in rng.sample(node_names("generator"), 4):
        seats = 2 if not generators else 1
        right = behaviour != "inflator" and rng.random() < (0.75 if taught else 0.05)
        text = truth if right else rng.choice(others[:4])
        if text not in texts:
            texts.append(text)
        confidence = 0.99 if behaviour == "inflator" else min(0.95, max(0.08, rng.gauss(0.8 if right else 0.5, 0.15)))
        beta = 0.04 if behaviour != "honest" else 0.6
        evidence = beta * (clip(logit(confidence)) + KAPPA)
        generators.append(GeneratorSeat(name, seats, texts.index(text), confidence, beta, evidence, True))
    believed = truth if rng.random() < 0.9 else texts[0]  # what the verifiers, who err together, take for true
    discriminators = [sample_judge(rng, name, behaviour, texts, truth, believed, subject) for name, behaviour in
                      rng.sample(node_names("discriminator"), 7)]  # fmt: skip
    candidates = tally(texts, truth, generators, discriminators)
    ranked = sorted(candidates, key=lambda candidate: -candidate.score)
    margin = ranked[0].score - max(0.0, ranked[1].score if len(ranked) > 1 else 0.0)
    difficulty = 1 - sum(sum(s.seats for s in generators if s.answer == i) ** 2 for i in range(len(texts))) / 25
    threshold = logit(0.8) + 1.25 * (difficulty - 0.3)
    accepted = texts.index(ranked[0].text) if margin >= threshold and ranked[0].discriminator_score > 0 else None
    audit = rng.choices(("none", "canary", "random"), (0.7, 0.2, 0.1))[0]
    return Round(
        number, 12 * number, f"{rng.getrandbits(128):032x}", rng.choice(WORDINGS).format(subject), truth, taught,
        "text",
        candidates, tuple(generators), tuple(discriminators), KAPPA, RHO_G, RHO_D, margin, threshold, difficulty, 0.0,
        accepted, "" if accepted is not None else "the margin is below the threshold", audit,
        None if audit == "none" else 0, tuple(payments(rng, generators, discriminators, accepted, audit)),
    )  # fmt: skip


def sample_judge(
    rng: random.Random, name: str, behaviour: str, texts: list[str], truth: str, believed: str, subject: str
):
    if behaviour == "withholder":
        return DiscriminatorSeat(name, 2, (), 0.5, revealed=False)
    verdicts = []
    for index, text in enumerate(texts):
        p_fake = min(0.98, max(0.02, rng.gauss(0.06 if text == believed else 0.93, 0.08)))
        p_fake = 0.97 if behaviour == "flag_everything" else p_fake
        found = rng.random() < 0.9
        record = f"The capital of {subject} is {truth}."
        evidence = (record, f"{subject} uses its own currency.") if found else ()
        beta = 0.02 if behaviour == "flag_everything" else 0.5
        heard = beta * -clip(logit(p_fake) - logit(0.45)) if found else 0.0
        verdicts.append(Verdict(index, p_fake, heard, evidence))
    return DiscriminatorSeat(name, 2, tuple(verdicts), 0.5, revealed=True)


def trace(answers: list[tuple[float, bool]]) -> tuple[Point, ...]:
    """Return the curve of (score, right) answers as the threshold on the score falls."""
    hits = [right for _, right in sorted(answers, reverse=True)]
    return tuple(Point(count / len(hits), sum(hits[:count]) / count) for count in range(1, len(hits) + 1))


def tally(texts, truth, generators, discriminators) -> tuple[Candidate, ...]:
    divisor_g = 1 + (sum(seat.seats for seat in generators) - 1) * RHO_G
    divisor_d = 1 + (sum(seat.seats for seat in discriminators if seat.revealed) - 1) * RHO_D
    candidates = []
    for index, text in enumerate(texts):
        g = sum(seat.seats * seat.evidence_logodds for seat in generators if seat.answer == index) / divisor_g
        d = sum(
            seat.seats * v.evidence_logodds for seat in discriminators for v in seat.verdicts if v.candidate == index
        )
        d /= divisor_d
        candidates.append(Candidate(text, g + d - KAPPA, g, d, text == truth))
    return tuple(candidates)


def payments(rng, generators, discriminators, accepted, audit):
    for seat in generators:
        if accepted is not None and seat.answer == accepted:
            yield Payment(seat.node, 0.12 * seat.seats, f"flat fee for {seat.seats} of the accepted seats, in escrow")
        if audit != "none":
            yield Payment(seat.node, rng.gauss(0, 0.4), f"wager: scored {rng.random():.2f} against .61 for the house")
    for seat in discriminators:
        if not seat.revealed:
            yield Payment(seat.node, -0.6, "slashed .1 % for not revealing, wager forfeited")
        else:
            yield Payment(seat.node, 0.014, f"flat fee for {seat.seats} revealed seats")
            if audit != "none":
                yield Payment(seat.node, rng.gauss(0, 0.3), "wager: scored .84 against .70 for the house")


def sample_nodes(rng: random.Random, rounds: tuple[Round, ...]) -> tuple[Node, ...]:
    nodes = []
    for role in ("generator", "discriminator"):
        for name, behaviour in node_names(role):
            drift = {"honest": 0.04, "withholder": -0.29}.get(behaviour, -0.05)
            stake, reputation, tokens, standing = [(0, 144_000.0)], [(0, 1 / 16)], 144_000.0, 1 / 16
            for played in rounds:
                if rng.random() < 0.6:
                    tokens += 60 * rng.gauss(drift, 0.15)
                    standing += ((0.9 if behaviour == "honest" else 0.08) - standing) * 0.02 + rng.gauss(0, 0.004)
                    standing = min(1.0, max(1 / 16, standing))
                    stake.append((played.height, tokens))
                    reputation.append((played.height, standing))
            gain = tokens - 144_000.0
            earnings = (("fees", 910.0), ("wagers", gain - 910.0 + 12.0), ("slashes", -12.0))
            beta = 0.62 if behaviour == "honest" else 0.03
            nodes.append(Node(name, role, behaviour, f"{role}-model-{len(nodes) % 3}", tuple(stake), tuple(reputation),
                              beta, 144_000.0, tokens, earnings))  # fmt: skip
    return tuple(nodes)


def sample_report(seed: int = 0, taught: int = 300, untaught: int = 60) -> ReportData:
    """Return the data of a whole run of `taught + untaught` rounds."""
    rng = random.Random(seed)
    kinds = [True] * taught + [False] * untaught
    rng.shuffle(kinds)
    rounds = tuple(sample_round(rng, number, taught=kind) for number, kind in enumerate(kinds, start=1))
    asked = [played for played in rounds if played.taught]
    accepted = sum(played.accepted is not None for played in asked)
    wrong = sum(played.status == "wrong" for played in asked)
    others = [played for played in rounds if not played.taught]
    stated = [
        (seat.confidence, played.candidates[seat.answer].is_true) for played in rounds for seat in played.generators
    ]
    judged = [(verdict.p_fake, not played.candidates[verdict.candidate].is_true)
              for played in rounds for seat in played.discriminators for verdict in seat.verdicts]  # fmt: skip
    best = [max(played.candidates, key=lambda candidate: candidate.score) for played in asked]
    rivals = {
        "best_node": ("Best single node (gen-3)", 0.8, 0.1),
        "majority": ("Majority of the seats", 0.76, 0.2),
        "all_nodes_majority": ("Majority of all nodes", 0.78, 0.15),
    }
    curves = [Curve("consensus", "The network", trace([(c.score, bool(c.is_true)) for c in best]))]
    scores = [Score("consensus", "The network", len(asked), accepted, wrong)]
    for kind, (label, share, spread) in rivals.items():
        hits = [rng.random() < share for _ in asked]
        curve = trace([(rng.gauss(0.8 if hit else 0.65, spread), hit) for hit in hits])
        curves.append(Curve(kind, label, curve))
        accuracy = [point.accuracy for point in curve if point.coverage <= accepted / len(asked)][-1]
        scores.append(Score(kind, label, len(asked), accepted, round(accepted * (1 - accuracy))))
    return ReportData(
        title="DeSLM demo, seed 0",
        made="2026-11-22 14:05 UTC",
        command="deslm demo --seed 0",
        scores=tuple(scores),
        unknown=Unknown(
            len(others),
            sum(played.accepted is None for played in others),
            sum(played.status == "right" for played in others),
            sum(played.status == "wrong" for played in others),
        ),
        curves=tuple(curves),
        reliabilities=(
            reliability("Generators' confidences", stated),
            reliability("Verifiers' probability of false", judged),
        ),
        nodes=sample_nodes(rng, rounds),
        rounds=rounds,
        audit_rate=0.3,
        seconds=(("training", 231.0), ("network", 41.0), ("replay", 2.1)),
        versions=(("DeSLM", "0.1.0"), ("Python", "3.11.7"), ("jax", "0.10.2"), ("flax", "0.12.8")),
        settings=(
            ("Seats", "5 generators, 15 discriminators"),
            ("θ₀, ε", ".80, .02"),
            ("Audits", "20 % canaries, 10 % random"),
        ),
        assumptions=(
            "One sequencer orders the messages: it can delay or leave out some, but cannot forge any.",
            "Whoever wrote the canaries told the truth and kept it secret.",
            "The knowledge base is right where the verifiers read it.",
        ),
        state_hash=f"{rng.getrandbits(256):064x}",
        replayed_hash="",
        supply_error_micro=0,
    )


def verified(data: ReportData) -> ReportData:
    """Return the data as if the replay had agreed."""
    return data._replace(replayed_hash=data.state_hash)


if __name__ == "__main__":
    write_text(Path(sys.argv[1]), build_report(verified(sample_report())))
