"""What a block did, as typed rows of plain integers, text and keys: all that a report or a live table needs.

Events are a function of the blocks, so `replay` gives the same ones. Every change of a node's stake (liquid + bonded +
unbonding + escrow) stands in exactly one `Payment` with its reason; a test adds them up against `BlockEnded`.
Probabilities are Q16, log-odds Q12, reputation Q8, amounts micro-tokens.
"""

from typing import NamedTuple


class Payment(NamedTuple):
    """What one cause moved to a key; negative: what it lost."""

    key: bytes
    amount_micro: int
    reason: str


# The reasons, each written once.
TASK_FEE = "asked a task: the base fee is burned, the tip is escrowed"
TIP_REFUND = "the network abstained: the tip comes back"
GENERATOR_FEE = "proposed the accepted answer: flat fees, in escrow"
DISCRIMINATOR_FEE = "revealed its verdicts on an accepted task: flat fees"
PROPOSER_SHARE = "proposed the block that settled the task"
WAGER = "wager on an audited task, by its score against its peers and the house"
FORFEIT = "did not reveal on an audited task: its wager goes to the treasury"
NON_REVEAL = "held a seat and did not reveal: slashed"
POOR_PERFORMANCE = "scored worse than the house for too long: slashed and jailed"
EQUIVOCATION = "signed two commitments for one task: slashed and out for good"
EQUIVOCATION_EPOCH = "equivocated in the epoch that ended: slashed by the equivocators' share of stake"
FINDER = "reported an equivocation"
OVERTURNED = "the accepted answer was false: its escrow is taken"
CHALLENGE_BOND = "challenged an accepted answer: bond"
CHALLENGE_WON = "the challenge was right: the bond and its share of the escrow"
CHALLENGE_SHARED = "a wrong challenge paid those it accused"
CHALLENGE_VOID = "no truth came for the challenge: the bond comes back"
TRANSFER = "transfer"
OPENING_FEE = "opened an account: the base fee is burned"


class TaskOpened(NamedTuple):
    """A task was paid for and its seats were drawn."""

    height: int
    task_id: bytes
    author: bytes
    nonce: int  # of the message that asked it
    task_class: int
    prompt: str
    tip_micro: int
    base_fee_micro: int
    emission_micro: int
    flat_fee_micro: tuple[int, int]  # of one paid seat: generator, discriminator
    wager_micro: tuple[int, int]  # put up by each seat
    generators: tuple[bytes, ...]  # key of each seat, b"" if nobody was eligible
    discriminators: tuple[bytes, ...]
    payments: tuple[Payment, ...]


class AnswerRevealed(NamedTuple):
    """A generator opened its answer."""

    height: int
    task_id: bytes
    key: bytes
    text: str
    confidence_q16: int


class VerdictRevealed(NamedTuple):
    """A discriminator opened its verdicts: P(false) and evidence records of each candidate."""

    height: int
    task_id: bytes
    key: bytes
    p_false_q16: tuple[int, ...]
    evidence: tuple[tuple[int, ...], ...]


class AnswerLine(NamedTuple):
    """One generator of a settled task."""

    key: bytes
    seats: int
    candidate: int  # -1: it did not reveal
    text: str
    confidence_q16: int
    evidence_q12: int  # e: what each of its seats added to its candidate
    beta_q16: int  # its voice at settlement


class VerdictLine(NamedTuple):
    """One discriminator of a settled task; rows over candidates are empty if it did not reveal."""

    key: bytes
    seats: int
    p_false_q16: tuple[int, ...]
    evidence: tuple[tuple[int, ...], ...]
    evidence_q12: tuple[int, ...]  # e on each candidate
    beta_q16: int


class Settled(NamedTuple):
    """R4-R8: the tally, the decision, and who was paid for it."""

    height: int
    task_id: bytes
    author: bytes
    nonce: int
    task_class: int
    prompt: str
    candidates: tuple[str, ...]
    answers: tuple[AnswerLine, ...]  # by ascending key
    verdicts: tuple[VerdictLine, ...]
    accepted: int  # candidate, -1: the network abstains
    accepted_text: str  # "" if it abstains
    reason_code: int  # consensus.state.REASONS
    reason: str
    score_q12: tuple[int, ...]  # s of each candidate
    generator_score_q12: tuple[int, ...]
    discriminator_score_q12: tuple[int, ...]
    kappa_q12: int  # published for the class
    rho_q16: tuple[int, int]  # error correlation of generators, of discriminators
    margin_q12: int  # Lambda
    tau_q12: int
    difficulty_q16: int  # d
    integral_q12: int  # I, before
    base_rate_q16: int  # b, before
    drawn: int  # candidate the verdicts are scored on if the task is audited, -1: none
    audit: str  # "none", "canary" or "random"
    flat_fee_micro: tuple[int, int]
    wager_micro: tuple[int, int]
    payments: tuple[Payment, ...]


class Learned(NamedTuple):
    """How one audit changed one node: (before, after) each."""

    key: bytes
    role: int
    beta_q16: tuple[int, int]
    good_q8: tuple[int, int]
    bad_q8: tuple[int, int]
    cusum_q16: tuple[int, int]
    jailed_until: tuple[int, int]


class Audited(NamedTuple):
    """R6-R9: the truth came, wagers were scored."""

    height: int
    task_id: bytes
    kind: str  # "canary" or "random"
    truths: tuple[str, ...]
    candidate_is_true: tuple[int, ...]
    accepted_is_true: int  # -1 if the network had abstained
    integral_q12: tuple[int, int]
    base_rate_q16: tuple[int, int]
    learned: tuple[Learned, ...]
    payments: tuple[Payment, ...]


class AuditExpired(NamedTuple):
    """No truth came within the window: the wagers were unlocked unscored."""

    height: int
    task_id: bytes


class Slashed(NamedTuple):
    """R8: stake was taken. Without payments of its own, it repeats those of the `Settled` or `Audited` before it."""

    height: int
    key: bytes
    amount_micro: int
    reason: str
    jailed_until: int
    payments: tuple[Payment, ...]


class Released(NamedTuple):
    """R7: escrow went to the generators' liquid; no stake changed."""

    height: int
    task_id: bytes
    amounts: tuple[tuple[bytes, int], ...]


class Challenged(NamedTuple):
    """R6: somebody bonded against an accepted answer."""

    height: int
    task_id: bytes
    challenger: bytes
    bond_micro: int
    payments: tuple[Payment, ...]


class Overturned(NamedTuple):
    """R6: an accepted answer was false and its generators' escrow was taken."""

    height: int
    task_id: bytes
    truths: tuple[str, ...]
    challenger: bytes  # b"": an audit found it
    payments: tuple[Payment, ...]


class ChallengeClosed(NamedTuple):
    """R6: the accepted answer stands (`upheld` 1), or no truth came in time (0)."""

    height: int
    task_id: bytes
    upheld: int
    payments: tuple[Payment, ...]


class Transferred(NamedTuple):
    """Liquid moved between accounts."""

    height: int
    payments: tuple[Payment, ...]


class ParametersChanged(NamedTuple):
    """The governance key set parameters."""

    height: int
    changes: tuple[tuple[str, tuple[int, ...]], ...]


class NodeLine(NamedTuple):
    """One account at the end of a block; pairs are (generator, discriminator)."""

    key: bytes
    liquid_micro: int
    bonded_micro: int
    unbonding_micro: int
    escrow_micro: int
    roles: int  # 1 generator, 2 discriminator, 3 both, 0 neither
    good_q8: tuple[int, int]
    bad_q8: tuple[int, int]
    beta_q16: tuple[int, int]
    jailed_until: int

    @property
    def stake_micro(self) -> int:
        """All the account owns."""
        return self.liquid_micro + self.bonded_micro + self.unbonding_micro + self.escrow_micro


class BlockEnded(NamedTuple):
    """The whole network after a block."""

    height: int
    nodes: tuple[NodeLine, ...]  # by ascending key
    treasury_micro: int
    reserve_micro: int
    burned_micro: int
    purse_micro: int
    task_escrow_micro: int
    challenge_bonds_micro: int
    base_fee_micro: int
    integral_q12: int
    base_rate_q16: int
    open_tasks: int
    pending_tasks: int  # settled, with an escrow, audit or challenge still open
    supply_error_micro: int  # I1: always 0


Event = (
    TaskOpened
    | AnswerRevealed
    | VerdictRevealed
    | Settled
    | Audited
    | AuditExpired
    | Slashed
    | Released
    | Challenged
    | Overturned
    | ChallengeClosed
    | Transferred
    | ParametersChanged
    | BlockEnded
)
