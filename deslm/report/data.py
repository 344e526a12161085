"""What the report page is told: plain typed records, filled from a replayed ledger, without a word on how they look.

Amounts are tokens as floats (exact integers stay in the ledger), probabilities are in [0, 1], log-odds are natural
logarithms. Rule ids (R4, R5...) are those of `docs/PROTOCOL.md`.
"""

from typing import Literal, NamedTuple

Role = Literal["generator", "discriminator"]
HONEST = "honest"


class Verdict(NamedTuple):
    """What one discriminator said of one candidate (R3)."""

    candidate: int  # index into Round.candidates
    p_fake: float  # q, the stated probability that the candidate is false
    evidence_logodds: float  # e, what one of its seats adds; negative speaks against the candidate (R4)
    evidence: tuple[str, ...]  # the records it read, as sentences; empty: none found


class GeneratorSeat(NamedTuple):
    """One generator node's part in a round; `seats` of the role's seats were drawn for it."""

    node: str
    seats: int
    answer: int | None  # index into Round.candidates; None: not revealed
    confidence: float | None  # c as stated
    beta: float  # how loudly the network hears it, 0 to 1
    evidence_logodds: float  # e, what one of its seats adds to its candidate (R4)
    revealed: bool


class DiscriminatorSeat(NamedTuple):
    """One discriminator node's part in a round."""

    node: str
    seats: int
    verdicts: tuple[Verdict, ...]  # empty: not revealed
    beta: float
    revealed: bool


class Candidate(NamedTuple):
    """One distinct answer and its score s = generators + discriminators - kappa (R4)."""

    text: str
    score: float
    generator_score: float  # sum of e over its generator seats / (1 + (n_G - 1) rho_G)
    discriminator_score: float  # sum of e over the discriminator seats / (1 + (n_D - 1) rho_D)
    is_true: bool | None  # None: the truth is not known


class Payment(NamedTuple):
    """What a node gained (or lost: negative) in a round, and why."""

    node: str
    tokens: float
    reason: str  # "flat fee for the accepted answer", "wager: scored .82 against .61 for the house", ...


class Round(NamedTuple):
    """One task from question to settlement."""

    number: int  # unique, shown to the reader and used in links: #round-17
    height: int  # block in which it settled
    task_id: str
    question: str
    truth: str  # empty: not known
    taught: bool  # whether any generator was taught the subject
    task_class: str  # defines when two answers are equal (R1)
    candidates: tuple[Candidate, ...]
    generators: tuple[GeneratorSeat, ...]
    discriminators: tuple[DiscriminatorSeat, ...]
    kappa: float  # published -ln P(two wrong answers coincide)
    rho_generators: float  # published error correlation of the role's seats
    rho_discriminators: float
    margin: float  # Lambda, log-odds
    threshold: float  # tau, log-odds (R5)
    difficulty: float  # d, disagreement of the generator seats, 0 to 1
    integral: float  # I, what audited errors have added to the threshold
    accepted: int | None  # index into candidates; None: the network abstained
    reason: str  # the ledger's own word for an abstention, e.g. "the margin is below the threshold"
    audit: Literal["none", "canary", "random"]
    drawn: int | None  # the candidate that the verdicts were scored on (R7); None: not audited, or no answer
    payments: tuple[Payment, ...]

    @property
    def status(self) -> Literal["abstained", "right", "wrong", "unknown"]:
        """How it ended; unknown: accepted, and nobody knows whether rightly."""
        if self.accepted is None:
            return "abstained"
        is_true = self.candidates[self.accepted].is_true
        return "unknown" if is_true is None else "right" if is_true else "wrong"


class Node(NamedTuple):
    """One node's course over the run."""

    name: str
    role: Role
    behaviour: str  # "honest", or what it does instead: "inflator", "copycat", ...
    model: str  # what it runs, for the reader; may be empty
    stake: tuple[tuple[int, float], ...]  # (height, tokens), heights rising
    reputation: tuple[tuple[int, float], ...]  # (height, good / (good + bad + prior), 0 to 1)
    beta: float  # at the end
    stake_before: float  # tokens: liquid + bonded + unbonding + escrow
    stake_after: float  # the same once escrows are released
    earnings: tuple[tuple[str, float], ...]  # (kind, tokens), e.g. ("fees", 3.1), ("wagers", -.4), ("slashes", -.2)

    @property
    def is_honest(self) -> bool:
        return self.behaviour == HONEST

    @property
    def gain(self) -> float:
        """Tokens won or lost over the run."""
        return self.stake_after - self.stake_before


class Score(NamedTuple):
    """How one way of deciding did on the questions about taught subjects."""

    kind: Literal["consensus", "best_node", "majority", "all_nodes_majority"]
    label: str  # "The network", "Best single node (gen-3)", ...
    asked: int
    accepted: int
    wrong_accepted: int

    @property
    def coverage(self) -> float:
        """Accepted / asked."""
        return self.accepted / self.asked if self.asked else 0.0

    @property
    def accuracy(self) -> float:
        """Right / accepted; 0 when nothing was accepted, as in summary.json: who says nothing is not accurate."""
        return 1 - self.wrong_accepted / self.accepted if self.accepted else 0.0


class Unknown(NamedTuple):
    """The questions about subjects that no generator was taught."""

    asked: int
    abstained: int
    accepted_right: int  # a guess that the knowledge base confirmed
    accepted_wrong: int


class Point(NamedTuple):
    """One threshold on a curve."""

    coverage: float
    accuracy: float


class Curve(NamedTuple):
    """Accuracy against coverage as the threshold moves; `kind` and `label` as in the matching Score."""

    kind: Literal["consensus", "best_node", "majority", "all_nodes_majority"]
    label: str
    points: tuple[Point, ...]  # coverage rising


class Bin(NamedTuple):
    """Statements of nearly the same probability."""

    stated: float  # their mean
    observed: float  # how often they came true
    size: int  # how many statements


class Reliability(NamedTuple):
    """Whether stated probabilities came true."""

    label: str  # "Generators' confidences"
    bins: tuple[Bin, ...]  # `stated` rising
    ece: float  # expected calibration error: mean of |stated - observed| over statements


class ReportData(NamedTuple):
    """Everything on the page."""

    title: str
    made: str  # when, in words or ISO 8601; the report reads no clock
    command: str  # what made this run, to be typed again
    scores: tuple[Score, ...]  # the one of kind "consensus" is the headline
    unknown: Unknown
    curves: tuple[Curve, ...]
    reliabilities: tuple[Reliability, ...]
    nodes: tuple[Node, ...]
    rounds: tuple[Round, ...]  # in the order asked
    audit_rate: float  # share of tasks whose truth was opened
    seconds: tuple[tuple[str, float], ...]  # (phase, seconds)
    versions: tuple[tuple[str, str], ...]  # ("jax", "0.10.2"), ...
    settings: tuple[tuple[str, str], ...]  # parameters worth printing, in words
    assumptions: tuple[str, ...]  # whom and what a reader has to trust, one sentence each
    state_hash: str
    replayed_hash: str
    supply_error_micro: int
