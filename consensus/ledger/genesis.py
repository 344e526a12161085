"""Block 0: who owns what, which rules hold, and whose signature counts for what.

`make_genesis` checks everything and returns a record; its hash is what the first block builds on, so two networks with
different genesis files can never share a block.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec
import numpy as np

from consensus import presets
from consensus.ledger.codec import AmountMicro, Bytes32, Integer, Natural, Record, decode, encode
from consensus.ledger.equality import Equality
from consensus.ledger.errors import LedgerError
from consensus.ledger.hashing import digest
from consensus.ledger.leaves import from_rows, to_rows
from consensus.ledger.limits import FRAME_BYTES, SEATS
from consensus.ledger.messages import ChainId
from consensus.limits import check_arithmetic
from consensus.state import Network, Nodes, Params
from consensus.units import MICRO, SUPPLY_CAP_MICRO

VERSION = 1
PURSE_POTS = 60  # R7: the house's account is seeded with so many pots


class Account(Record, frozen=True):
    """A key's stake at the start; `name` is a label for people and means nothing to the rules."""

    key: Bytes32
    name: str
    liquid_micro: AmountMicro
    bonded_micro: AmountMicro
    roles: Annotated[int, msgspec.Meta(ge=0, le=3)]  # 1 generator, 2 discriminator, 3 both, 0 neither


class TaskClass(Record, frozen=True):
    """A kind of question; its place in the list is the K of `kappa_q12_K` and `rho_q16_KR`."""

    name: str
    equality: Annotated[int, msgspec.Meta(ge=0, le=len(Equality) - 1)]


CLASSES = (
    TaskClass("text", Equality.TEXT),
    TaskClass("choice", Equality.CHOICE),
    TaskClass("number", Equality.NUMBER),
    TaskClass("span", Equality.SPAN),
)


class Genesis(Record, frozen=True):
    """Everything the first block builds on. What no account, treasury or purse holds is the reserve."""

    version: Natural
    chain_id: ChainId
    accounts: tuple[Account, ...]  # by ascending key
    treasury_micro: AmountMicro
    purse_micro: AmountMicro
    base_fee_micro: AmountMicro
    parameters: tuple[tuple[str, tuple[Integer, ...]], ...]  # every field of Params, in order
    classes: tuple[TaskClass, ...]
    generator_seats: Annotated[int, msgspec.Meta(ge=2, le=SEATS)]
    discriminator_seats: Annotated[int, msgspec.Meta(ge=1, le=SEATS)]
    sequencer: Bytes32  # signs the blocks of the local engine, and is paid the proposer's share
    auditor: Bytes32  # whose word on the truth counts (R6's oracle assumption)
    governance: Bytes32  # may change parameters
    beacon: Bytes32

    def hash(self) -> bytes:
        """32 bytes: what the first block names as the block before it."""
        return digest("deslm/genesis/1", encode(self))

    def params(self) -> Params:
        """The law's constants at height 1."""
        return from_rows(Params, [row for _, row in self.parameters])


def make_genesis(
    chain_id: str,
    accounts: Iterable[Account],
    params: Params,
    *,
    sequencer: bytes,
    auditor: bytes,
    governance: bytes | None = None,
    treasury_micro: int = 10_000_000 * MICRO,
    base_fee_micro: int = MICRO // 10,
    typical_tip_micro: int = MICRO,
    purse_pots: int = PURSE_POTS,
    classes: Sequence[TaskClass] = CLASSES,
    generator_seats: int = presets.GENERATOR_SEATS,
    discriminator_seats: int = presets.DISCRIMINATOR_SEATS,
    beacon: bytes | None = None,
) -> Genesis:
    """A checked genesis. The purse is seeded from the treasury with `purse_pots` pots (tip + emission) of R7.

    `governance` defaults to the sequencer's key, `beacon` to a hash of the chain id. Raises ValueError with one
    sentence if anything in it cannot hold.
    """
    rows = sorted(accounts, key=lambda account: account.key)
    reserve_micro = SUPPLY_CAP_MICRO - treasury_micro - sum(a.liquid_micro + a.bonded_micro for a in rows)
    purse_micro = purse_pots * typical_pot_micro(params, typical_tip_micro, max(reserve_micro, 0))
    if purse_micro > treasury_micro:
        raise LedgerError(f"genesis: {purse_pots} pots are {purse_micro} micro-tokens, more than the treasury holds.")
    draft = Genesis(
        VERSION,
        chain_id,
        tuple(rows),
        treasury_micro - purse_micro,
        purse_micro,
        base_fee_micro,
        tuple((name, tuple(row)) for name, row in zip(Params._fields, to_rows(params), strict=True)),
        tuple(classes),
        generator_seats,
        discriminator_seats,
        sequencer,
        auditor,
        governance or sequencer,
        beacon or digest("deslm/first-beacon/1", chain_id),
    )
    genesis = check_genesis(encode(draft))
    check_parameters(params, genesis)
    return genesis


def typical_pot_micro(params: Params, tip_micro: int, reserve_micro: int = SUPPLY_CAP_MICRO) -> int:
    """R7, R11: what an accepted task with this tip distributes at first, tip + emission. Stakes are chosen in pots."""
    return tip_micro + (reserve_micro * int(params.emission_rate_q32) >> 32)


def check_genesis(data: bytes) -> Genesis:
    """The genesis in `data`; LedgerError or ValueError says in one sentence what in it cannot hold.

    Its incentives are not judged: a network that began under weaker ones can still be read.
    """
    genesis = decode(data, Genesis, FRAME_BYTES)
    if genesis.version != VERSION:
        raise LedgerError(f"genesis: version {genesis.version} is not {VERSION}; use the release that wrote it.")
    keys = [account.key for account in genesis.accounts]
    if keys != sorted(set(keys)):
        raise LedgerError("genesis: accounts must be in ascending order of their keys, each key once.")
    if genesis.sequencer not in keys:
        raise LedgerError("genesis: the sequencer needs an account to be paid the proposer's share.")
    if tuple(name for name, _ in genesis.parameters) != Params._fields:
        raise LedgerError("genesis: the parameters are not those of this release; use the release that wrote it.")
    params = genesis.params()
    if not len(genesis.classes) == len(params.kappa_q12_K) == len(params.rho_q16_KR):
        raise LedgerError("genesis: kappa and rho need one row for each task class.")
    check_arithmetic(params, genesis.generator_seats, genesis.discriminator_seats)
    first_state(genesis)
    return genesis


def check_parameters(params: Params, genesis: Genesis) -> None:
    """Raise ValueError with one sentence if this network may not run with `params` from now on."""
    presets.check_params(params, genesis.generator_seats, genesis.discriminator_seats)


def first_state(genesis: Genesis) -> tuple[Network, Nodes]:
    """Network and nodes before block 1; ValueError if more is given out than the cap."""
    role_NR = np.array([[a.roles & 1, a.roles >> 1] for a in genesis.accounts], dtype=np.int64).reshape(-1, 2)
    return presets.genesis(
        genesis.params(),
        np.array([a.liquid_micro for a in genesis.accounts], dtype=np.int64),
        np.array([a.bonded_micro for a in genesis.accounts], dtype=np.int64),
        role_NR,
        genesis.treasury_micro,
        genesis.purse_micro,
        genesis.base_fee_micro,
    )
