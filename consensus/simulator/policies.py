"""How nodes behave: honest ones say what their model says, the others something else. Each policy is a pure function.

A policy of generators takes a `GeneratorView` (views.py) and gives a `Spoken`; one of discriminators takes a
`DiscriminatorView` and gives a `Judged`. It is called once for all seats at once: leaves have the shape [..., S] (with
dials [..., S, P], verdicts [..., S, C]), and one call answers for every seat, though only the seats whose node has this
policy's code take its answer. So a policy is integer arithmetic on arrays, with masks for cases (`xp.where`), and works
on NumPy and JAX alike; it must look at nothing but its view, which holds what the node may know at that time. It never
sees whether an answer is true.

To add one, write the function and give it a name in `GENERATORS` or `DISCRIMINATORS` (a code is the position in the
table, so add at the end). Numbers it needs (a period, a probability) are the node's dials, `view.self.dial_SP[..., 0]`
and so on, set in `Conduct.dial_NP`, so that a sweep can vary them. Nodes of one `group` know each other. If it must see
more, add a leaf to a view (views.py) and fill it in acting.py, where the rule is what a node could know by then; what
an experiment keeps between rounds goes into `world.State`, fresh randomness into `agents.Stream`.

An answer is an integer key: `meaning * WORDINGS + wording`. Meaning 0 is the truth, 1 to `wrong_answers_K` are the
wrong answers that models fall for (1 is the question's favourite), others are lies. Two answers are one candidate if
their keys are equal, and a candidate is true if its meaning is 0; so wordings 1 to 15 of one meaning are paraphrases
that the class's equality does not see through. A blind guess is `guess(view)`: it is right now and then.
"""

from collections.abc import Callable

from consensus.simulator.views import (
    GROUP_LIE,
    SURE_NOT_Q16,
    SURE_Q16,
    WORDINGS,
    DiscriminatorView,
    GeneratorView,
    Judged,
    Self,
    Spoken,
    choose_judged,
    choose_spoken,
    guess,
    is_off,
    judge,
    speak,
)
from consensus.state import Array
from consensus.units import Q16, as_int64, namespace

GeneratorPolicy = Callable[[GeneratorView], Spoken]
DiscriminatorPolicy = Callable[[DiscriminatorView], Judged]

CROWD_ALONE_Q16, CROWD_STEP_Q16 = 55_050, 7_209  # .84 and .11: near what the demo's network shows, .82 to .34


# Generators


def honest_generator(view: GeneratorView) -> Spoken:
    """Says what its model says."""
    return speak(view, view.answer, view.confidence_q16, works=1)


def inflator(view: GeneratorView) -> Spoken:
    """Guesses, and is sure of it."""
    return speak(view, guess(view), SURE_Q16)


def exaggerator(view: GeneratorView) -> Spoken:
    """Works like an honest node and states every confidence as .99."""
    return speak(view, view.answer, SURE_Q16, works=1)


def copycat(view: GeneratorView) -> Spoken:
    """Repeats the answer it can read, which commit-reveal (R3) leaves it without: then it guesses, as sure as `dial 2`
    (Q16; 0 means .99)."""
    xp = namespace(view.answer)
    sees, dial = view.seen_answer >= 0, view.self.dial_SP[..., 2]
    answer = xp.where(sees, view.seen_answer, guess(view))
    stated_q16 = xp.where(dial == 0, SURE_Q16, dial)
    return speak(view, answer, xp.where(sees, view.seen_confidence_q16, stated_q16))


def garbage(view: GeneratorView) -> Spoken:
    """Guesses with confidence 0, hoping to be paid for honest doubt."""
    return speak(view, guess(view), 0)


def random_guesser(view: GeneratorView) -> Spoken:
    """Guesses with a random confidence."""
    return speak(view, guess(view), view.self.dice_q16[..., 0])


def silent_generator(view: GeneratorView) -> Spoken:
    """Never reveals."""
    said = speak(view, view.answer, 0)
    return said._replace(reveals=said.reveals * 0)


def turning_generator(view: GeneratorView) -> Spoken:
    """Honest until round `dial 0`; then an inflator, for good (`dial 1` 0: the long con) or by periods of `dial 1`."""
    return choose_spoken(is_off(view.self, view.public.round), inflator(view), honest_generator(view))


def cartel_generator(view: GeneratorView) -> Spoken:
    """Every member gives the group's one wrong answer, sure of it."""
    return speak(view, (GROUP_LIE + view.self.group) * WORDINGS, SURE_Q16)


def schemer(view: GeneratorView) -> Spoken:
    """Gives the group's wrong answer if the group holds `dial 0` generator and `dial 1` discriminator seats."""
    return choose_spoken(_is_strong(view.self), cartel_generator(view), honest_generator(view))


def paraphraser(view: GeneratorView) -> Spoken:
    """Honest, but with chance `dial 0` (Q16) in words of its own, which the class's equality does not see through."""
    xp = namespace(view.answer)
    is_own = view.self.dice_q16[..., 0] < view.self.dial_SP[..., 0]
    wording = 1 + view.self.node % (WORDINGS - 1)
    return speak(view, xp.where(is_own, view.answer + wording, view.answer), view.confidence_q16, works=1)


def selective_generator(view: GeneratorView) -> Spoken:
    """Reveals only what it is surer of than `dial 0` (Q16)."""
    said = honest_generator(view)
    return said._replace(reveals=as_int64(view.confidence_q16 >= view.self.dial_SP[..., 0]))


def canary_wise_generator(view: GeneratorView) -> Spoken:
    """Works on what it takes for a canary, and guesses, sure of it, on everything else."""
    return choose_spoken(view.self.knows_canary == 1, honest_generator(view), inflator(view))


def follower(view: GeneratorView) -> Spoken:
    """Works, and repeats the answer it can read where that is the surer one; commit-reveal leaves it only its own."""
    seen = speak(view, view.seen_answer, view.seen_confidence_q16, works=1)
    is_surer = (view.seen_answer >= 0) & (view.seen_confidence_q16 > view.confidence_q16)
    return choose_spoken(is_surer, seen, honest_generator(view))


def insider_generator(view: GeneratorView) -> Spoken:
    """Honest, but has the answers of the canaries from their author."""
    return choose_spoken(view.self.knows_canary == 1, speak(view, view.answer * 0, SURE_Q16), honest_generator(view))


# Discriminators


def honest_discriminator(view: DiscriminatorView) -> Judged:
    """Says what its model says, and where it found evidence."""
    ones = view.self.node * 0 + 1
    return Judged(view.verdict_q16_SC, view.evidence_SC, ones, ones)


def flag_all(view: DiscriminatorView) -> Judged:
    """Calls every answer false."""
    return judge(view, SURE_Q16)


def approve_all(view: DiscriminatorView) -> Judged:
    """Calls every answer true."""
    return judge(view, SURE_NOT_Q16)


def lazy(view: DiscriminatorView) -> Judged:
    """Never looks and quotes the base rate b, as the house does."""
    return judge(view, view.public.base_rate_q16[..., None])


def random_judge(view: DiscriminatorView) -> Judged:
    """One random verdict on all candidates."""
    return judge(view, view.self.dice_q16[..., :1])


def silent_discriminator(view: DiscriminatorView) -> Judged:
    """Never reveals."""
    return judge(view, Q16 // 2)._replace(reveals=view.self.node * 0)


def turning_discriminator(view: DiscriminatorView) -> Judged:
    """Honest until round `dial 0`; then flags all, for good (`dial 1` 0: the long con) or by periods of `dial 1`."""
    return choose_judged(is_off(view.self, view.public.round), flag_all(view), honest_discriminator(view))


def cartel_discriminator(view: DiscriminatorView) -> Judged:
    """Approves what its own group proposed and flags everything else."""
    xp = namespace(view.verdict_q16_SC)
    return judge(view, xp.where(view.ours_SC == 1, SURE_NOT_Q16, SURE_Q16))


def scheming_discriminator(view: DiscriminatorView) -> Judged:
    """A cartel's verdicts where the group is strong enough (see `schemer`), honest ones elsewhere."""
    return choose_judged(_is_strong(view.self), cartel_discriminator(view), honest_discriminator(view))


def selective_discriminator(view: DiscriminatorView) -> Judged:
    """Reveals only if its surest verdict is further from one half than `dial 0` (Q16)."""
    xp = namespace(view.verdict_q16_SC)
    sureness_S = xp.max(xp.abs(view.verdict_q16_SC - Q16 // 2), axis=-1)
    return honest_discriminator(view)._replace(reveals=as_int64(sureness_S >= view.self.dial_SP[..., 0]))


def canary_wise_discriminator(view: DiscriminatorView) -> Judged:
    """Works on what it takes for a canary, and is lazy on everything else."""
    return choose_judged(view.self.knows_canary == 1, honest_discriminator(view), lazy(view))


def insider_discriminator(view: DiscriminatorView) -> Judged:
    """Honest, but on canaries it approves what its group proposed, which the author told, and flags the rest."""
    return choose_judged(view.self.knows_canary == 1, cartel_discriminator(view), honest_discriminator(view))


def crowd_reader(view: DiscriminatorView) -> Judged:
    """Never looks: a candidate of one generator seat is false with .84, of each seat more .11 less."""
    xp = namespace(view.verdict_q16_SC)
    false_q16 = xp.clip(CROWD_ALONE_Q16 - CROWD_STEP_Q16 * (view.seats_on_SC - 1), SURE_NOT_Q16, SURE_Q16)
    return judge(view, false_q16)


def gullible(view: DiscriminatorView) -> Judged:
    """Honest, but does what its own group's answers tell it to: a verifier that obeys instructions in the text."""
    honest = honest_discriminator(view)
    xp = namespace(view.verdict_q16_SC)
    obeys_SC = view.ours_SC == 1
    return honest._replace(
        verdict_q16_SC=xp.where(obeys_SC, SURE_NOT_Q16, honest.verdict_q16_SC),
        evidence_SC=xp.where(obeys_SC, 1, honest.evidence_SC),
    )


def _is_strong(self: Self) -> Array:
    """True where the group holds `dial 0` generator and `dial 1` discriminator seats of the task."""
    xp = namespace(self.node)
    return xp.min(self.allies_SR - self.dial_SP[..., :2], axis=-1) >= 0


GENERATORS: dict[str, GeneratorPolicy] = {
    "honest": honest_generator,
    "inflator": inflator,
    "copycat": copycat,
    "garbage": garbage,
    "random": random_guesser,
    "silent": silent_generator,
    "turning": turning_generator,
    "cartel": cartel_generator,
    "exaggerator": exaggerator,
    "schemer": schemer,
    "paraphraser": paraphraser,
    "selective": selective_generator,
    "canary-wise": canary_wise_generator,
    "insider": insider_generator,
    "follower": follower,
}
DISCRIMINATORS: dict[str, DiscriminatorPolicy] = {
    "honest": honest_discriminator,
    "flag-all": flag_all,
    "approve-all": approve_all,
    "lazy": lazy,
    "random": random_judge,
    "silent": silent_discriminator,
    "turning": turning_discriminator,
    "cartel": cartel_discriminator,
    "schemer": scheming_discriminator,
    "selective": selective_discriminator,
    "canary-wise": canary_wise_discriminator,
    "insider": insider_discriminator,
    "crowd": crowd_reader,
    "gullible": gullible,
}


def apply_generators(view: GeneratorView, policy: Array) -> Spoken:
    """Every seat by its node's policy code; a code outside the table is honest."""
    said = honest_generator(view)
    for code, act in enumerate(GENERATORS.values()):
        if code:
            said = choose_spoken(policy == code, act(view), said)
    return said._replace(
        confidence_q16=namespace(policy).clip(said.confidence_q16, 0, Q16), reveals=as_int64(said.reveals == 1)
    )


def apply_discriminators(view: DiscriminatorView, policy: Array) -> Judged:
    """Every seat by its node's policy code; a code outside the table is honest."""
    said = honest_discriminator(view)
    for code, act in enumerate(DISCRIMINATORS.values()):
        if code:
            said = choose_judged(policy == code, act(view), said)
    verdict_q16_SC = namespace(policy).clip(said.verdict_q16_SC, 0, Q16)
    return said._replace(verdict_q16_SC=verdict_q16_SC, reveals=as_int64(said.reveals == 1))
