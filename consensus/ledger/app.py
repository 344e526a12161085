"""The ledger as an application that any ordering engine can drive (ABCI's shape; law, R12 is the engine's business).

    init_chain -> (check_tx* -> prepare_proposal -> process_proposal -> finalize_block -> commit)*

The same transactions give the same app hash on every machine: nothing here reads a clock, draws a random number,
touches a disk or raises on bad input. `commit` alone makes a block's state the current one, after its caller has stored
it; until then a block can be dropped by not committing it.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from consensus.ledger.codec import encode
from consensus.ledger.draft import Draft
from consensus.ledger.errors import LedgerError
from consensus.ledger.events import BlockEnded, Event, NodeLine
from consensus.ledger.execution import Receipt, check, execute
from consensus.ledger.genesis import Genesis
from consensus.ledger.limits import BLOCK_BYTES
from consensus.ledger.settlement import finish_block
from consensus.ledger.state import State, compute_app_hash, compute_supply_error_micro, decode_state, make_state
from consensus.ledger.validation import ACCEPT, Admission, Reject, Verdict
from consensus.rules.supply import compute_supply_micro
from consensus.units import MICRO


class FinalizedBlock(NamedTuple):
    """What a block does, before it is committed."""

    height: int
    receipts: tuple[Receipt, ...]  # one a transaction
    validator_updates: tuple[tuple[bytes, int], ...]  # (key, new voting power in whole tokens) where it changed
    app_hash: bytes  # SHA-256 of the canonical encoding of the whole state
    events: tuple[Event, ...]
    supply_error_micro: int  # I1: always 0


class App:
    """The state machine. Give it a genesis with `init_chain`, or a genesis and a stored state with `load`."""

    def __init__(self) -> None:
        self._memo: tuple[tuple[bytes, ...], Draft, list[Receipt]] | None = None
        self._next: State | None = None
        self._snapshot = b""

    def init_chain(self, genesis: Genesis) -> bytes:
        """Start before block 1; returns the app hash of that state."""
        self._start(genesis, make_state(genesis))
        return compute_app_hash(self.state.encode())

    def load(self, genesis: Genesis, snapshot: bytes) -> bytes:
        """Start from what `commit` handed out last; returns its app hash. LedgerError if it is no state."""
        self._start(genesis, decode_state(snapshot))
        return compute_app_hash(snapshot)

    def _start(self, genesis: Genesis, state: State) -> None:
        self.genesis, self.state = genesis, state
        self.admission = Admission(genesis.chain_id)
        self._checking = self._draft()

    def check_tx(self, data: bytes) -> Verdict:
        """Whether the next block could contain `data`, as far as the committed state tells."""
        verdict, _ = check(self._checking, data)
        return verdict

    def prepare_proposal(self, transactions: Sequence[bytes], max_bytes: int = BLOCK_BYTES) -> list[bytes]:
        """Those of `transactions`, in order, that are valid one after another and fit into a block."""
        draft, receipts, chosen, size = self._draft(), [], [], 0
        for data in transactions:
            if size + len(data) > max_bytes:
                continue
            receipt = execute(draft, data)
            if receipt.code == 0:
                receipts.append(receipt)
                chosen.append(data)
                size += len(data)
        self._memo = tuple(chosen), draft, receipts
        return chosen

    def process_proposal(self, transactions: Sequence[bytes]) -> Verdict:
        """Accept a block only if it fits and every transaction in it is valid."""
        if sum(map(len, transactions)) > BLOCK_BYTES:
            return Reject(f"the block is longer than {BLOCK_BYTES} bytes")
        draft, receipts = self._execute(transactions)
        self._memo = tuple(transactions), draft, receipts
        for number, receipt in enumerate(receipts):
            if receipt.code != 0:
                return Reject(f"transaction {number + 1} is not valid: {receipt.reason}")
        return ACCEPT

    def finalize_block(
        self, transactions: Sequence[bytes], seal: bytes = b"", proposer: bytes | None = None
    ) -> FinalizedBlock:
        """Execute a block on top of the committed state; nothing is kept until `commit`.

        An invalid transaction gets a receipt that says why and changes nothing. `seal` is what the engine adds to the
        salts of the beacon: bytes that nobody who asked a task in this block could know. `proposer` (default: the
        genesis's sequencer) is paid R7's share of the tasks that settle.
        """
        draft, receipts = self._execute(transactions)
        draft.salts.append(seal)
        finish_block(draft, self.genesis.sequencer if proposer is None else proposer)
        state = draft.freeze()
        error_micro = compute_supply_error_micro(compute_supply_micro(state.network, state.nodes))
        if error_micro:
            raise LedgerError(f"block {draft.height} would change the supply by {error_micro} micro-tokens; stopped.")
        draft.events.append(describe_block(state, error_micro))
        self._next, self._snapshot = state, state.encode()
        return FinalizedBlock(
            draft.height,
            tuple(receipts),
            compute_validator_updates(self.state, state),
            compute_app_hash(self._snapshot),
            tuple(draft.events),
            error_micro,
        )

    def commit(self, persist: Callable[[bytes], None] | None = None) -> int:
        """Make the finalized block's state the current one; returns its height.

        `persist` is called first with the state's canonical bytes: if it raises, nothing has changed.
        """
        if self._next is None:
            raise LedgerError("there is no finalized block to commit; call finalize_block first.")
        if persist is not None:
            persist(self._snapshot)
        self.state, self._next, self._snapshot, self._memo = self._next, None, b"", None
        self._checking = self._draft()
        return self.state.height

    def query(self, path: str, data: bytes = b"") -> bytes:
        """Canonical bytes about the committed state, b"" for what is unknown.

        `height`; `account` (data: key) = (nonce, liquid, bonded, locked, unbonding, escrow); `task` (data: id);
        `tasks`: all open ones; `audits`: all settled ones that wait for a truth.
        """
        state = self.state
        row = state.row.get(data)
        if path == "account" and row is not None:
            leaves = (*state.nodes[:4], state.nodes.escrow_micro_N)
            return encode((state.nonces[row], *(int(leaf[row]) for leaf in leaves)))
        if path == "task" and data in state.open:
            return encode(state.open[data])
        answers = {
            "height": state.height,
            "tasks": tuple(state.open.values()),
            "audits": tuple(task for task in state.pending.values() if task.audit or task.challenge),
        }
        return encode(answers[path]) if path in answers else b""

    def _draft(self) -> Draft:
        return Draft(self.genesis, self.admission, self.state)

    def _execute(self, transactions: Sequence[bytes]) -> tuple[Draft, list[Receipt]]:
        """The transactions applied in order; what a proposal has computed already is used once and forgotten."""
        memo, self._memo = self._memo, None
        if memo is not None and memo[0] == tuple(transactions):
            return memo[1], memo[2]
        draft = self._draft()
        return draft, [execute(draft, data) for data in transactions]


def describe_block(state: State, supply_error_micro: int) -> BlockEnded:
    """The whole network after a block, as an event."""
    nodes, network = state.nodes, state.network
    leaves = (nodes.liquid_micro_N, nodes.bonded_micro_N, nodes.unbonding_micro_N, nodes.escrow_micro_N)
    amounts = zip(*(leaf.tolist() for leaf in leaves), strict=True)
    roles = [generator | discriminator << 1 for generator, discriminator in nodes.role_NR.tolist()]
    good, bad, beta = (
        [tuple(row) for row in leaf.tolist()] for leaf in (nodes.good_q8_NR, nodes.bad_q8_NR, nodes.beta_q16_NR)
    )
    lines = zip(state.keys, amounts, roles, good, bad, beta, nodes.jailed_until_N.tolist(), strict=True)
    return BlockEnded(
        height=state.height,
        nodes=tuple(NodeLine(key, *amount, *rest) for key, amount, *rest in lines),
        treasury_micro=int(network.treasury_micro),
        reserve_micro=int(network.reserve_micro),
        burned_micro=int(network.burned_micro),
        purse_micro=int(network.purse_micro),
        task_escrow_micro=int(network.task_escrow_micro),
        challenge_bonds_micro=int(network.challenge_bonds_micro),
        base_fee_micro=int(network.base_fee_micro),
        integral_q12=int(network.integral_q12),
        base_rate_q16=int(network.base_rate_q16),
        open_tasks=len(state.open),
        pending_tasks=len(state.pending),
        supply_error_micro=supply_error_micro,
    )


def compute_validator_updates(before: State, after: State) -> tuple[tuple[bytes, int], ...]:
    """Where the voting power of R12 changed: bonded whole tokens of an account with a role that is not jailed."""
    old, new = _powers(before), _powers(after)
    return tuple((key, power) for key, power in new.items() if old.get(key, 0) != power)


def _powers(state: State) -> dict[bytes, int]:
    nodes = state.nodes
    may_vote_N = (nodes.role_NR.sum(axis=1) > 0) & (state.network.height >= nodes.jailed_until_N)
    return dict(zip(state.keys, (nodes.bonded_micro_N // MICRO * may_vote_N).tolist(), strict=True))
