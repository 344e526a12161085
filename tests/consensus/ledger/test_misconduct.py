"""Equivocation: two signed commitments of one key for one task, brought by anybody, cost stake and every seat."""

from consensus.ledger import events as ev
from consensus.ledger.messages import Bond, Evidence, Transfer, Unjail
from consensus.units import FOREVER, MICRO
from tests.consensus.ledger.network import GENERATORS, NAMES, RIGHT, WRONG, Chain, answer_commit, key
from tests.consensus.ledger.test_lifecycle import last, no_audits, some


def two_commitments(chain: Chain, task_id: bytes, name: str, chain_id: str = "test", until: int = 50) -> Evidence:
    one, two = (chain.tx(name, answer_commit(name, task_id, text), 0, until, chain_id) for text in (RIGHT, WRONG))
    return Evidence(one, two)


def stake(chain: Chain, name: str) -> int:
    line = next(line for line in last(chain, ev.BlockEnded).nodes if line.key == key(name).public)
    return line.stake_micro


def test_an_equivocator_is_slashed_and_never_drawn_again() -> None:
    chain = no_audits(challenge_window_blocks=8)
    task_id = chain.ask()
    name = NAMES[chain.task(task_id).generators[0]]
    before, finder = stake(chain, name), stake(chain, "asker")
    evidence = two_commitments(chain, task_id, name)
    chain.accept(("asker", evidence))
    slashed = last(chain, ev.Slashed)
    bonded = before - MICRO  # the genesis gives every node one token of liquid
    assert slashed.amount_micro == before - stake(chain, name)
    assert abs(slashed.amount_micro / bonded - 0.05) < 1e-5
    assert (slashed.key, slashed.jailed_until) == (key(name).public, FOREVER)
    assert stake(chain, "asker") - finder == slashed.amount_micro // 512
    assert {p.reason for p in slashed.payments} == {ev.EQUIVOCATION, ev.FINDER}
    chain.refuse("g0" if name != "g0" else "g1", evidence, "out for good already")
    chain.refuse(name, Unjail(), "never returns")
    for number in range(6):
        assert key(name).public not in chain.task(chain.ask(f"q{number}")).generators


def test_the_epoch_charges_equivocators_together() -> None:
    """Two of eight equal stakes: three times a quarter of what is left of each, at the end of the epoch."""
    chain = no_audits(challenge_window_blocks=8)
    task_id = chain.ask()
    guilty = sorted({NAMES[k] for k in chain.task(task_id).generators})[:2]
    chain.accept(*(("asker", two_commitments(chain, task_id, name)) for name in guilty))
    assert chain.app.state.equivocators == tuple(sorted(key(name).public for name in guilty))
    for _ in range(5):
        chain.block()
    after = {name: stake(chain, name) for name in guilty}
    assert [event.reason for event in some(chain, ev.Slashed)].count(ev.EQUIVOCATION_EPOCH) == 0
    chain.block()  # block 8
    penalties = [event for event in some(chain, ev.Slashed) if event.reason == ev.EQUIVOCATION_EPOCH]
    assert {event.key for event in penalties} == {key(name).public for name in guilty}
    for event in penalties:
        assert 0.70 < event.amount_micro / after[NAMES[event.key]] < 0.76
    assert chain.app.state.equivocators == ()


def test_what_is_no_evidence() -> None:
    chain = no_audits()
    task_id, other_id = chain.ask(), chain.ask("another")
    name = NAMES[chain.task(task_id).generators[0]]
    one = chain.tx(name, answer_commit(name, task_id, RIGHT))
    again = chain.tx(name, answer_commit(name, task_id, RIGHT))
    elsewhere = chain.tx(name, answer_commit(name, other_id, WRONG))
    somebody = next(n for n in GENERATORS if n != name)
    theirs = chain.tx(somebody, answer_commit(somebody, task_id, WRONG))
    forged = one[:-1] + bytes([one[-1] ^ 1])
    for first, second, reason in (
        (one, one, "do not contradict"),
        (one, again, "do not contradict"),
        (one, elsewhere, "do not contradict"),
        (one, theirs, "not of one key"),
        (one, forged, "second message of the evidence is not valid: the signature"),
        (b"", one, "first message of the evidence is not valid"),
        (
            chain.tx(name, Transfer(key("asker").public, 1)),
            chain.tx(name, Transfer(key("asker").public, 2)),
            "only commit",
        ),
        (one, chain.tx(name, Bond(1)), "not of one key and one kind"),
    ):
        chain.refuse("asker", Evidence(first, second), reason)
    foreign = two_commitments(chain, task_id, name, chain_id="main")
    chain.refuse("asker", foreign, "is for chain 'main'")
    stranger = two_commitments(chain, task_id, "stranger")
    chain.refuse("asker", stranger, "accused key has no account")


def test_old_evidence_comes_too_late() -> None:
    chain = no_audits()
    evidence = two_commitments(chain, chain.ask(), "g0", until=2)
    last_height = 2 + int(chain.app.state.params.unbonding_blocks)
    while chain.app.state.height < last_height:
        chain.block()
    chain.refuse("asker", evidence, "older than an unbonding")


def test_jail_is_over_by_itself_and_its_mark_can_be_cleared() -> None:
    chain = no_audits()
    nodes, row = chain.app.state.nodes, chain.app.state.row[key("g0").public]
    until_N = nodes.jailed_until_N.copy()
    until_N[row] = 3
    chain.app.load(chain.app.genesis, chain.app.state._replace(nodes=nodes._replace(jailed_until_N=until_N)).encode())
    chain.refuse("g0", Unjail(), "jailed until block 3")
    chain.block()
    chain.block()
    chain.accept(("g0", Unjail()))
    assert int(chain.app.state.nodes.jailed_until_N[row]) == 0
