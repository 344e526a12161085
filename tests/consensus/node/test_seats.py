"""Generator and discriminator nodes as state machines: what they ask for, say, open, and remember across a restart."""

import pytest

from consensus.ledger.messages import AnswerCommit, AnswerReveal, VerdictCommit, VerdictReveal
from consensus.ledger.validation import ACCEPT
from consensus.node import Copycat, DiscriminatorNode, FlagEverything, GeneratorNode, Inflator, Withholder
from consensus.node.view import AskAnswers, AskVerdicts, ChainView, Submit, make_view
from tests.consensus.ledger.network import NAMES, RIGHT, Chain, key


def view(chain: Chain) -> ChainView:
    return make_view(chain.app.genesis, chain.app.state)


def bodies(chain: Chain, actions: list) -> list:
    """The messages of what a node submits; the ledger must accept each."""
    for action in actions:
        assert chain.app.check_tx(action.transaction) == ACCEPT
    return [chain.app.admission.admit(action.transaction).body for action in actions]


def include(chain: Chain, actions: list) -> None:
    result = chain.block(*(action.transaction for action in actions if isinstance(action, Submit)))
    assert all(receipt.code == 0 for receipt in result.receipts)


def seated(chain: Chain, task_id: bytes, role: int) -> str:
    task = chain.task(task_id)
    return NAMES[(task.generators, task.discriminators)[role][0]]


def test_a_generator_asks_commits_and_reveals(chain: Chain) -> None:
    task_id = chain.ask("What?")
    node = GeneratorNode(key(seated(chain, task_id, 0)))
    assert node.on_block(view(chain)) == [AskAnswers(("What?",))]
    actions = node.receive_answers({"What?": ("Li\x00ma", 0.75)})
    (commit,) = bodies(chain, actions)
    assert isinstance(commit, AnswerCommit) and commit.task_id == task_id
    assert node.act() == []  # once a block is enough
    include(chain, actions)
    actions = node.on_block(view(chain))
    assert bodies(chain, actions)[0] == AnswerReveal(task_id, node.key.derive_salt("answer", task_id), "Li ma", 49_152)
    include(chain, actions)
    assert node.on_block(view(chain)) == []


def test_a_generator_without_a_seat_is_silent(chain: Chain) -> None:
    task_id = chain.ask()
    for name in ("g0", "g1", "g2", "g3", "d0"):
        if key(name).public not in chain.task(task_id).generators:
            assert GeneratorNode(key(name)).on_block(view(chain)) == []


def test_a_missed_block_is_made_up_for_while_the_window_is_open(chain: Chain) -> None:
    """What was not included is said again, with a fresh nonce."""
    task_id = chain.ask()
    node = GeneratorNode(key(seated(chain, task_id, 0)), behaviour=Inflator(("a",)))
    first = node.on_block(view(chain))
    second = node.on_block(view(chain))
    assert bodies(chain, first) == bodies(chain, second) and first != second


def test_a_restarted_generator_reveals_what_it_committed(chain: Chain) -> None:
    task_id = chain.ask("What?")
    name = seated(chain, task_id, 0)
    before = GeneratorNode(key(name))
    before.on_block(view(chain))
    include(chain, before.receive_answers({"What?": ("Lima", 0.9)}))
    after = GeneratorNode(key(name))
    assert after.on_block(view(chain)) == [AskAnswers(("What?",))]
    (reveal,) = bodies(chain, after.receive_answers({"What?": ("Lima", 0.9)}))
    assert (reveal.text, reveal.confidence_q16) == ("Lima", 58_982)


def test_a_generator_whose_model_changed_its_mind_says_nothing(chain: Chain) -> None:
    task_id = chain.ask("What?")
    name = seated(chain, task_id, 0)
    before = GeneratorNode(key(name))
    before.on_block(view(chain))
    include(chain, before.receive_answers({"What?": ("Lima", 0.9)}))
    after = GeneratorNode(key(name))
    after.on_block(view(chain))
    assert after.receive_answers({"What?": ("Lima", 0.8)}) == []


def test_a_discriminator_judges_every_candidate(chain: Chain) -> None:
    task_id = chain.ask("What?")
    chain.answer(task_id, (RIGHT, "wrong", "also wrong"))
    texts = [candidate.text for candidate in chain.task(task_id).candidates]
    node = DiscriminatorNode(key(seated(chain, task_id, 1)))
    assert node.on_block(view(chain)) == [AskVerdicts(tuple(("What?", text) for text in texts))]
    verdicts = {("What?", text): (0.01 * i, tuple(range(i))) for i, text in enumerate(texts)}
    actions = node.receive_verdicts(verdicts)
    assert isinstance(bodies(chain, actions)[0], VerdictCommit)
    include(chain, actions)
    again = DiscriminatorNode(node.key)  # restarted
    again.on_block(view(chain))
    (reveal,) = bodies(chain, again.receive_verdicts(verdicts))
    assert isinstance(reveal, VerdictReveal)
    assert [v.p_false_q16 for v in reveal.verdicts] == [1, 655, 1311][: len(texts)]
    assert [v.evidence for v in reveal.verdicts] == [(), (0,), (0, 1)][: len(texts)]
    changed = DiscriminatorNode(node.key)
    changed.on_block(view(chain))
    assert changed.receive_verdicts(dict.fromkeys(verdicts, (0.5, ()))) == []


def test_a_discriminator_has_nothing_to_say_without_an_answer(chain: Chain) -> None:
    task_id = chain.ask()
    chain.block()
    chain.block()
    assert DiscriminatorNode(key(seated(chain, task_id, 1))).on_block(view(chain)) == []


def test_nodes_forget_what_is_settled(chain: Chain) -> None:
    task_id = chain.ask("What?")
    generator = GeneratorNode(key(seated(chain, task_id, 0)))
    generator.on_block(view(chain))
    include(chain, generator.receive_answers({"What?": (RIGHT, 0.9)}))
    include(chain, generator.on_block(view(chain)))
    judge = DiscriminatorNode(key(seated(chain, task_id, 1)))
    judge.on_block(view(chain))
    judge.receive_verdicts({("What?", RIGHT): (0.1, (1,))})
    for _ in range(5):
        chain.block()
    assert generator.on_block(view(chain)) == judge.on_block(view(chain)) == []
    assert not generator._model and not generator._chosen and not judge._model


class TestBehaviours:
    """What the demo's cheats do."""

    def test_the_inflator_is_nearly_certain_of_anything(self, chain: Chain) -> None:
        said = set()
        for number in range(12):
            task = chain.task(chain.ask(f"q{number}"))
            answer = Inflator(("a", "b", "c")).answer(key("g0"), view(chain), task, None)
            assert answer == Inflator(("a", "b", "c")).answer(key("g0"), view(chain), task, None)
            said.add(answer)
        assert said == {("a", 0.99), ("b", 0.99), ("c", 0.99)}

    def test_the_copycat_says_what_it_saw_last(self, chain: Chain) -> None:
        first = chain.ask("one")
        second = chain.ask("two")
        copycat = Copycat(first="?")
        assert copycat.answer(key("g9"), view(chain), chain.task(second), None) == ("?", 0.9)
        names = sorted({NAMES[k] for k in chain.task(first).generators})
        assert names
        chain.answer(chain.ask("three"), ("seen",))
        assert copycat.answer(key("g9"), view(chain), chain.task(second), None) == ("seen", 0.9)

    def test_a_restarted_copycat_finds_what_it_copied(self, chain: Chain) -> None:
        chain.answer(chain.ask("one"), ("seen",))
        task_id = chain.ask("two")
        name = seated(chain, task_id, 0)
        include(chain, GeneratorNode(key(name), behaviour=Copycat()).on_block(view(chain)))
        (reveal,) = bodies(chain, GeneratorNode(key(name), behaviour=Copycat()).on_block(view(chain)))
        assert reveal.text == "seen"

    def test_flag_everything(self, chain: Chain) -> None:
        task_id = chain.ask()
        chain.answer(task_id, (RIGHT, "wrong"))
        node = DiscriminatorNode(key(seated(chain, task_id, 1)), behaviour=FlagEverything())
        include(chain, node.on_block(view(chain)))
        (reveal,) = bodies(chain, node.on_block(view(chain)))
        assert {(v.p_false_q16, v.evidence) for v in reveal.verdicts} == {(64_881, (0,))}

    @pytest.mark.parametrize("percent", [0, 100])
    def test_the_withholder_commits_and_opens_some(self, chain: Chain, percent: int) -> None:
        task_id = chain.ask("What?")
        chain.answer(task_id)
        node = DiscriminatorNode(key(seated(chain, task_id, 1)), behaviour=Withholder(percent))
        node.on_block(view(chain))
        include(chain, node.receive_verdicts({("What?", RIGHT): (0.1, (1,))}))
        assert len(node.on_block(view(chain))) == percent // 100

    def test_a_selective_withholder_opens_about_its_share(self, chain: Chain) -> None:
        tasks = [chain.task(chain.ask(f"q{number}")) for number in range(4)]
        keys = [key(f"k{number}") for number in range(50)]
        opened = sum(Withholder(30).reveals(k, task) for k in keys for task in tasks)
        assert 35 < opened < 85
