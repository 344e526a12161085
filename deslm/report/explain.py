"""The report's sentences: the headline in plain words, and which of the accept rules a round met."""

from statistics import median
from typing import NamedTuple

from .data import Candidate, ReportData, Round, Score


class Rule(NamedTuple):
    """One condition of R5 on one round."""

    text: str
    passed: bool
    figures: str  # what was compared


def accept_rules(played: Round) -> tuple[Rule, ...]:
    """Return the four conditions of R5, with the round's figures; all must hold for the best candidate to be accepted.

    They are worked out again from the round's own records, so a reader can compare them with what the ledger decided.
    """
    generators = sum(seat.seats for seat in played.generators)
    discriminators = sum(seat.seats for seat in played.discriminators)
    answered = sum(seat.seats for seat in played.generators if seat.revealed)
    judged = sum(seat.seats for seat in played.discriminators if seat.revealed)
    authors = len({seat.node for seat in played.generators if seat.revealed})
    best = best_candidate(played)
    support = best.discriminator_score if best else 0.0
    return (
        Rule(
            "Two thirds of the seats of each role revealed",
            bool(generators and discriminators) and 3 * answered >= 2 * generators and 3 * judged >= 2 * discriminators,
            f"{answered} of {generators} generator seats, {judged} of {discriminators} discriminator seats",
        ),
        Rule("At least two different generators answered", authors >= 2, f"{authors} answered"),
        Rule("The discriminators' evidence supports the best answer", support > 0, f"it adds {signed(support)}"),
        Rule(
            "The margin Λ reaches the threshold τ",
            best is not None and played.margin >= played.threshold,
            f"Λ = {signed(played.margin)}, τ = {signed(played.threshold)}",
        ),
    )


def best_candidate(played: Round) -> Candidate | None:
    """Return the candidate with the highest score, or None if nobody revealed an answer."""
    return max(played.candidates, key=lambda candidate: candidate.score, default=None)


def headline(data: ReportData) -> str:
    """Return the page's first sentence.

    >>> from deslm.report.data import Score
    >>> _answered(Score("consensus", "The network", asked=300, accepted=240, wrong_accepted=6))
    'The network answered 240 of 300 questions and got 6 wrong.'
    """
    return _answered(consensus_score(data))


def consensus_score(data: ReportData) -> Score:
    """Return the network's own score."""
    return next(score for score in data.scores if score.kind == "consensus")


def lead(data: ReportData) -> tuple[str, ...]:
    """Return the paragraph below the headline, one sentence an item; every figure is a count from the data."""
    network = consensus_score(data)
    sentences = [f"It abstained on the other {network.asked - network.accepted}."]
    rivals = [score for score in data.scores if score is not network]
    if rivals:
        first, *others = rivals
        counts = [f"{_with_article(first.label)} got {first.wrong_accepted} wrong"]
        counts += [f"{_with_article(score.label)} {score.wrong_accepted}" for score in others]
        sentences.append(f"Answering as many, {', '.join(counts)}.")
    return (*sentences, *_unknown_sentences(data), *_stake_sentences(data), *_ledger_sentences(data))


def _answered(score: Score) -> str:
    wrong = "none" if score.wrong_accepted == 0 else f"{score.wrong_accepted:,}"
    return f"{score.label} answered {score.accepted:,} of {score.asked:,} questions and got {wrong} wrong."


def _unknown_sentences(data: ReportData) -> tuple[str, ...]:
    unknown = data.unknown
    if not unknown.asked:
        return ()
    opening = f"Of {unknown.asked} more questions, about subjects that no model was taught, it"
    if unknown.abstained == unknown.asked:
        return (f"{opening} answered none.",)
    return (
        f"{opening} abstained on {unknown.abstained} and accepted {unknown.accepted_right} right and "
        f"{unknown.accepted_wrong} wrong guesses.",
    )


def _stake_sentences(data: ReportData) -> tuple[str, ...]:
    honest = [node.gain for node in data.nodes if node.is_honest]
    dishonest = [node.gain for node in data.nodes if not node.is_honest]
    if not honest:
        return ()
    middle = median(honest)
    course = f"the median honest node {'lost' if middle < 0 else 'gained'} {abs(middle):,.2f} tokens"
    if not dishonest:
        return (f"{course[0].upper()}{course[1:]}.",)
    losers = sum(gain < 0 for gain in dishonest)
    share = f"All {losers}" if losers == len(dishonest) else f"{losers} of {len(dishonest)}"
    return (f"{share} dishonest nodes lost stake, and {course}.",)


def _ledger_sentences(data: ReportData) -> tuple[str, ...]:
    if data.state_hash != data.replayed_hash:
        return ("Replaying the ledger did not give the same state: do not trust this page.",)
    if data.supply_error_micro:
        return (f"The ledger's amounts are off by {data.supply_error_micro} micro-tokens: do not trust this page.",)
    return ("Replaying the ledger gave the same state, to the last micro-token.",)


def signed(value: float, digits: int = 2) -> str:
    """Return a number with its sign, minus as the typographer's.

    >>> signed(1234.5), signed(-0.251), signed(0)
    ('+1,234.50', '−0.25', '0.00')
    """
    text = f"{value:+,.{digits}f}"
    if not text.strip("+-0."):
        return text[1:]
    return text.replace("-", "−")


def _with_article(label: str) -> str:
    return label[:1].lower() + label[1:] if label.startswith("The ") else f"the {label[:1].lower()}{label[1:]}"
