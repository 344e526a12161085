"""A small network for ledger tests: named keys, an App driven by hand, and a played ledger on disk."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from consensus import presets
from consensus.engine.local import BlockResult, LocalEngine
from consensus.ledger.app import App, FinalizedBlock
from consensus.ledger.codec import Record
from consensus.ledger.genesis import Account, Genesis, make_genesis, typical_pot_micro
from consensus.ledger.hashing import truth_commitment
from consensus.ledger.keys import SigningKey
from consensus.ledger.messages import (
    AnswerCommit,
    AnswerReveal,
    CandidateVerdict,
    Task,
    VerdictCommit,
    VerdictReveal,
    sign_message,
)
from consensus.ledger.participation import commit_answer, commit_verdicts
from consensus.ledger.tasks import OpenTask
from consensus.node import (
    Asker,
    Auditor,
    CanaryAuthor,
    Copycat,
    DiscriminatorNode,
    FlagEverything,
    GeneratorNode,
    Inflator,
    Question,
    Withholder,
    run,
)
from consensus.node.base import Node
from consensus.state import Params
from consensus.units import MICRO

CHAIN = "test"
TIP = 4 * MICRO
GENERATORS, DISCRIMINATORS = ("g0", "g1", "g2", "g3"), ("d0", "d1", "d2", "d3")
SALT, OTHER_SALT = b"s" * 32, b"t" * 32
RIGHT, WRONG = "right", "wrong"


def key(name: str) -> SigningKey:
    return SigningKey.from_seed(0, name)


NAMES = {key(name).public: name for name in (*GENERATORS, *DISCRIMINATORS, "asker", "sequencer", "auditor", "canary")}


def small_genesis(params: Params | None = None, generators: int = 5, discriminators: int = 6) -> Genesis:
    """Four generators and four discriminators of 600 pots, an asker, and the officers; many random audits."""
    params = params or presets.minimal()._replace(random_audit_rate_q16=np.asarray(presets.q16(0.25), np.int64))
    stake = 600 * typical_pot_micro(params, TIP)
    rows = [Account(key(name).public, name, MICRO, stake, 1) for name in GENERATORS]
    rows += [Account(key(name).public, name, MICRO, stake, 2) for name in DISCRIMINATORS]
    rows += [Account(key("asker").public, "asker", 100_000 * MICRO, 0, 0)]
    rows += [Account(key(name).public, name, 0, 0, 0) for name in ("sequencer", "auditor", "canary")]
    officers = {"sequencer": key("sequencer").public, "auditor": key("auditor").public}
    return make_genesis(CHAIN, rows, params, generator_seats=generators, discriminator_seats=discriminators, **officers)


class Chain:
    """An App without an engine: blocks are made of exactly the transactions given."""

    def __init__(self, genesis: Genesis | None = None) -> None:
        self.app, self.events = App(), []
        self.app.init_chain(genesis or small_genesis())
        self._nonces: dict[str, int] = {}

    def tx(self, name: str, body: Record, nonce: int = 0, valid_until: int = 1 << 40, chain: str = CHAIN) -> bytes:
        """A signed transaction with the next nonce of `name`, unless one is given."""
        if not nonce:
            self._nonces[name] = nonce = self._nonces.get(name, 0) + 1
        return sign_message(key(name), chain, nonce, valid_until, body)

    def block(self, *transactions: bytes) -> FinalizedBlock:
        """Finalize and commit."""
        result = self.app.finalize_block(transactions)
        self.app.commit()
        assert result.supply_error_micro == 0
        self.events += result.events
        return result

    def accept(self, *signed: tuple[str, Record]) -> FinalizedBlock:
        """A block of these messages, all of which must be accepted."""
        result = self.block(*(self.tx(name, body) for name, body in signed))
        assert [receipt.reason for receipt in result.receipts] == [""] * len(signed)
        return result

    def refuse(self, name: str, body: Record, reason: str, **envelope: object) -> None:
        """The message must be refused for `reason` by check_tx and in a block, and change nothing."""
        data = self.tx(name, body, **envelope)
        assert reason in self.app.check_tx(data).reason
        empty = App()
        empty.load(self.app.genesis, self.app.state.encode())
        without = empty.finalize_block([]).app_hash
        result = self.app.finalize_block([data])
        assert reason in result.receipts[0].reason and result.receipts[0].code
        assert result.app_hash == without

    def task(self, task_id: bytes) -> OpenTask:
        return self.app.state.open[task_id]

    def ask(self, prompt: str = "q", truths: tuple[str, ...] | None = None, tip_micro: int = TIP) -> bytes:
        """Open a task in a block of its own; a canary if it has truths. Returns its id."""
        commitment = truth_commitment(SALT, truths) if truths is not None else bytes(32)
        result = self.accept(("asker", Task(0, prompt, tip_micro, commitment)))
        return result.receipts[0].message_id

    def answer(self, task_id: bytes, texts: Sequence[str] = (RIGHT,), confidence_q16: int = 60_000) -> None:
        """Two blocks: every seated generator commits and reveals; texts are dealt round over keys in order."""
        names = [NAMES[k] for k in sorted(set(self.task(task_id).generators))]
        said = {name: texts[i % len(texts)] for i, name in enumerate(names)}
        self.accept(*((n, answer_commit(n, task_id, t, confidence_q16)) for n, t in said.items()))
        self.accept(*((n, AnswerReveal(task_id, SALT, t, confidence_q16)) for n, t in said.items()))

    def judge(self, task_id: bytes, silent: Sequence[str] = (), right: str = RIGHT) -> None:
        """Two blocks: every seated discriminator finds all but `right` false; those in `silent` do not reveal."""
        task = self.task(task_id)
        names = [NAMES[k] for k in sorted(set(task.discriminators))]
        verdicts = tuple(CandidateVerdict(3_000 if c.text == right else 62_000, (1,)) for c in task.candidates)
        self.accept(*((n, verdict_commit(n, task_id, verdicts)) for n in names))
        self.accept(*((n, VerdictReveal(task_id, SALT, verdicts)) for n in names if n not in silent))


def answer_commit(name: str, task_id: bytes, text: str, confidence_q16: int = 60_000) -> AnswerCommit:
    return AnswerCommit(task_id, commit_answer(task_id, key(name).public, SALT, text, confidence_q16))


def verdict_commit(name: str, task_id: bytes, verdicts: tuple[CandidateVerdict, ...]) -> VerdictCommit:
    return VerdictCommit(task_id, commit_verdicts(task_id, key(name).public, SALT, verdicts))


class Guesser:
    """A generator model: right with some probability, by question; deterministic."""

    def __init__(self, seed: int, accuracy: float = 0.8) -> None:
        self.seed, self.accuracy, self.calls = seed, accuracy, 0

    def answer(self, questions: Sequence[str]) -> list[tuple[str, float]]:
        self.calls += 1
        return [self._answer(random.Random(f"{self.seed} {question}"), question) for question in questions]

    def _answer(self, rng: random.Random, question: str) -> tuple[str, float]:
        if rng.random() < self.accuracy:
            return f"right {question}", 0.9
        return f"wrong {rng.randrange(4)}", 0.4


class Checker:
    """A discriminator model: knows the right answers, and errs in one of 20."""

    def __init__(self, seed: int) -> None:
        self.seed, self.calls = seed, 0

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[float, tuple[int, ...]]]:
        self.calls += 1
        is_false = [
            (answer != f"right {question}") != (random.Random(f"{self.seed} {question} {answer}").random() < 0.05)
            for question, answer in pairs
        ]
        return [(0.95 if false else 0.05, (1, 2)) for false in is_false]


def questions(count: int) -> list[Question]:
    """Every fifth one is a canary, every tenth a canary nobody can answer."""
    truths = [None if i % 5 else () if i % 10 else (f"right q{i}",) for i in range(count)]
    return [Question(f"q{i}", TIP, 0, truth) for i, truth in enumerate(truths)]


def lively_nodes(count: int) -> list[Node]:
    """Honest nodes and each kind of cheat, an asker with `count` questions, canaries and audits."""
    asker = Asker(key("asker"), questions(count))
    generators, checkers = [Guesser(0), Guesser(1)], [Checker(0), Checker(1)]
    return [
        GeneratorNode(key("g0"), generators[0]),
        GeneratorNode(key("g1"), generators[1]),
        GeneratorNode(key("g2"), behaviour=Inflator(("a", "b"))),
        GeneratorNode(key("g3"), behaviour=Copycat()),
        DiscriminatorNode(key("d0"), checkers[0]),
        DiscriminatorNode(key("d1"), checkers[1]),
        DiscriminatorNode(key("d2"), behaviour=FlagEverything()),
        DiscriminatorNode(key("d3"), checkers[0], Withholder(50)),
        asker,
        CanaryAuthor(key("canary"), [asker]),
        Auditor(key("auditor"), lambda prompt: (f"right {prompt}",)),
    ]


def play(folder: Path, count: int) -> list[BlockResult]:
    """Run `count` questions through the embedded engine into a ledger at `folder`."""
    with LocalEngine.create(folder, small_genesis(), key("sequencer")) as engine:
        return list(run(engine, lively_nodes(count)))
