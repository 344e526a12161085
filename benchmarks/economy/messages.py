"""Bytes of every message, by the ledger's own encoders, and what one task takes of them."""

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from consensus.ledger.block import Block, Tip, sign_block
from consensus.ledger.codec import decode, encode
from consensus.ledger.keys import SigningKey
from consensus.ledger.messages import (
    AnswerCommit,
    AnswerReveal,
    AuditTruth,
    CanaryReveal,
    CandidateVerdict,
    Kind,
    Task,
    VerdictCommit,
    VerdictReveal,
    parse_envelope,
    sign_message,
)
from consensus.ledger.store import Store

CHAIN, NONCE, UNTIL = "deslm-demo-0", 1_000, 100_000
PROMPT, ANSWER = "What is the capital city of New Zealand, please?", "New Zealand dollar"
EVIDENCE = (317, 318)


class Sizes(NamedTuple):
    """Signed bytes of one message each."""

    task: int
    answer_commit: int
    answer_reveal: int
    verdict_commit: int
    verdict_reveal: int  # without any verdict
    verdict: int  # each candidate's in it
    canary_reveal: int
    audit_truth: int
    vote: int  # on a block: height, hash, key, signature; the embedded engine sends none
    header: int  # a block without transactions


class Cost(NamedTuple):
    """What one task takes of the ledger, on average."""

    messages: float
    bytes: float


def measure_sizes(prompt: str = PROMPT, answer: str = ANSWER) -> Sizes:
    """Sizes of canonical MessagePack in Ed25519 envelopes, for a question and an answer of these texts."""
    key = SigningKey.from_seed(0, "size")
    hashed = bytes(range(200, 232))  # no byte string of 32 is shorter than another
    measure = lambda body: len(sign_message(key, CHAIN, NONCE, UNTIL, body))
    verdicts = lambda count: VerdictReveal(hashed, hashed, (CandidateVerdict(65_000, EVIDENCE),) * count)
    return Sizes(
        task=measure(Task(0, prompt, 1_000_000, hashed)),
        answer_commit=measure(AnswerCommit(hashed, hashed)),
        answer_reveal=measure(AnswerReveal(hashed, hashed, answer, 50_000)),
        verdict_commit=measure(VerdictCommit(hashed, hashed)),
        verdict_reveal=2 * measure(verdicts(1)) - measure(verdicts(2)),
        verdict=measure(verdicts(2)) - measure(verdicts(1)),
        canary_reveal=measure(CanaryReveal(hashed, hashed, (answer,))),
        audit_truth=measure(AuditTruth(hashed, (answer,))),
        vote=len(encode((UNTIL, hashed, key.public, key.sign("deslm/vote/1", encode((UNTIL, hashed)))))),
        header=len(encode(sign_block(key, Tip(UNTIL, hashed, hashed), (), bytes(64), hashed))),
    )


def count_task(
    sizes: Sizes, generators: float, discriminators: float, candidates: float, canary_share: float, audit_share: float
) -> Cost:
    """Messages and bytes of a task whose seats are held by so many distinct nodes: each commits once, reveals once."""
    messages = 1 + 2 * generators + 2 * discriminators + canary_share + audit_share
    signed = sizes.task + generators * (sizes.answer_commit + sizes.answer_reveal)
    signed += discriminators * (sizes.verdict_commit + sizes.verdict_reveal + candidates * sizes.verdict)
    return Cost(messages, signed + canary_share * sizes.canary_reveal + audit_share * sizes.audit_truth)


def weigh_ledger(folder: Path) -> tuple[dict[str, tuple[int, float]], float]:
    """By kind of message how many a ledger holds and their mean bytes; and the bytes a block that are no message."""
    weights: dict[str, list[int]] = defaultdict(list)
    with Store.open(folder, read_only=True) as store:
        blocks = [store.block(height + 1) for height in range(store.count_blocks())]
    for data in blocks:
        for transaction in decode(data, Block, len(data)).transactions:
            weights[Kind(parse_envelope(transaction).kind).name.lower()].append(len(transaction))
    carried = sum(sum(each) for each in weights.values())
    rest = (sum(map(len, blocks)) - carried) / max(len(blocks), 1)
    return {kind: (len(each), sum(each) / len(each)) for kind, each in sorted(weights.items())}, rest
