"""What a network really did, as arrays: real answers and verdicts on real seats, and the order in which they settled.

`consensus.ledger.recording.record` reads it from a ledger; `consensus.settle_recorded` settles it again, under the same
parameters or others. S steps of the run, T tasks, else the legend of `consensus.state`.
"""

from typing import NamedTuple

from consensus.state import Array, Network, Nodes, Params

# Kinds of step. OPEN to CLOSE are of one task; END closes a block.
OPEN, SETTLE, AUDIT, CLOSE, END = range(5)


class RecordedTasks(NamedTuple):
    """What was asked, who sat, what they revealed, and what is true."""

    task_class_T: Array
    tip_micro_T: Array
    payer_T: Array  # row of who asked
    proposer_T: Array  # row of who is paid for the block that settled it, -1: nobody
    is_canary_T: Array  # 1 if its answer was committed beforehand and opened in time
    generator_TG: Array  # row of each seat, -1 if nobody was eligible
    discriminator_TD: Array
    answer_TG: Array  # candidate, -1 if not revealed
    confidence_q16_TG: Array
    revealed_TD: Array
    verdict_q16_TDC: Array
    evidence_TDC: Array
    is_known_T: Array  # 1 if anybody knows what is true
    truth_TC: Array  # 1 for each candidate that is true
    candidate_draw_T16: Array  # beacon bytes of R7 and R6
    audit_draw_T16: Array


class Recorded(NamedTuple):
    """One run. All leaves are int64."""

    params: Params  # it ran under these
    network: Network  # before the first block
    nodes: Nodes
    tasks: RecordedTasks
    step_S: Array  # what happened: OPEN to END
    subject_S: Array  # number of the task; for END how many tasks the block opened
