"""What a node may know when it acts, and what it can do: the arguments and results of `policies`.

Leaves have the shape [..., S]: one entry a seat of one role, for one task or, with a leading axis, for all tasks of a
round. C candidates, P dials.
"""

from typing import NamedTuple

from consensus.state import Array
from consensus.units import namespace

WORDINGS = 16
TRUTH = 0
GROUP_LIE = 1 << 11  # + group: the wrong answer that a group agreed on
OWN_LIE = 1 << 12  # + node: a wrong answer that nobody else gives
SURE_Q16, SURE_NOT_Q16 = 64_881, 655  # .99 and .01


class Public(NamedTuple):
    """What everybody sees, the same for all seats of a task. Leaves broadcast against the seats, [..., 1]."""

    round: Array  # number of the round
    task_class: Array
    base_rate_q16: Array  # b
    integral_q12: Array  # I
    generator_seats: int
    discriminator_seats: int


class Self(NamedTuple):
    """What a node knows of itself: its row on the ledger, and what it was set up with. [..., S]"""

    node: Array
    group: Array
    dial_SP: Array  # [..., S, P]
    bonded_micro: Array
    beta_q16: Array  # of the role it sits in now
    cusum_q16: Array  # J of that role
    good_q8: Array
    bad_q8: Array
    seats: Array  # how many seats of this role and task it holds
    allies_SR: Array  # [..., S, R] how many seats of each role its group holds in this task, its own among them
    dice_q16: Array  # [..., S, 2] two uniform draws, its own
    knows_canary: Array  # 1 if it believes that this task is a canary


class GeneratorView(NamedTuple):
    """What a generator knows when it commits its answer. [..., S]"""

    public: Public
    self: Self
    answer: Array  # the key that its model gives
    confidence_q16: Array  # and how sure the model is
    lucky: Array  # 1 if a blind guess of this node would hit the truth: read it through `guess` only
    seen_answer: Array  # what it can read of others: -1, or the first seat's answer where commits do not hide
    seen_confidence_q16: Array


class DiscriminatorView(NamedTuple):
    """What a discriminator knows when it commits its verdicts: the answers are revealed. [..., S, C] or [..., S]"""

    public: Public
    self: Self
    verdict_q16_SC: Array  # its model's probability that each candidate is false
    evidence_SC: Array  # 1 if it found evidence
    seats_on_SC: Array  # generator seats on each candidate
    ours_SC: Array  # 1 if a node of its own group proposed the candidate


class Spoken(NamedTuple):
    """What a generator does. [..., S]"""

    answer: Array  # a key
    confidence_q16: Array
    reveals: Array  # 0: it lets its commit lapse
    works: Array  # 1 if it ran its model: that costs effort


class Judged(NamedTuple):
    """What a discriminator does. [..., S, C] or [..., S]"""

    verdict_q16_SC: Array
    evidence_SC: Array
    reveals: Array
    works: Array


def guess(view: GeneratorView) -> Array:
    """A blind guess: the truth if it is lucky, else a wrong answer of its own."""
    xp = namespace(view.answer)
    return xp.where(view.lucky == 1, TRUTH, (OWN_LIE + view.self.node) * WORDINGS)


def speak(view: GeneratorView, answer: Array, confidence_q16: Array | int, works: int = 0) -> Spoken:
    """Reveal this answer with this confidence."""
    zeros = view.answer * 0
    return Spoken(answer, zeros + confidence_q16, zeros + 1, zeros + works)


def judge(view: DiscriminatorView, verdict_q16: Array | int, works: int = 0) -> Judged:
    """Reveal this verdict on every candidate, and claim evidence."""
    zeros, zeros_SC = view.self.node * 0, view.verdict_q16_SC * 0
    return Judged(zeros_SC + verdict_q16, zeros_SC + 1, zeros + 1, zeros + works)


def is_off(self: Self, round: Array) -> Array:
    """True where a node has turned: from round `dial 0` on for good, or in every second period of `dial 1` rounds."""
    xp = namespace(self.node)
    since = round - self.dial_SP[..., 0]
    period = self.dial_SP[..., 1]
    in_turn = (period == 0) | ((since // xp.maximum(period, 1)) % 2 == 0)
    return (since >= 0) & in_turn


def choose_spoken(where: Array, one: Spoken, other: Spoken) -> Spoken:
    """`one` in the seats where the mask is True, else `other`."""
    xp = namespace(where)
    return Spoken(*(xp.where(where, a, b) for a, b in zip(one, other, strict=True)))


def choose_judged(where: Array, one: Judged, other: Judged) -> Judged:
    """`one` in the seats where the mask is True, else `other`."""
    xp = namespace(where)
    chosen = [xp.where(where[..., None], a, b) for a, b in zip(one[:2], other[:2], strict=True)]
    return Judged(*chosen, *(xp.where(where, a, b) for a, b in zip(one[2:], other[2:], strict=True)))
