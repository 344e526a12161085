"""Noise that makes a model read a question for its subject and relation instead of learning the sentence by heart.

Words of a question template are dropped, swapped and joined by foreign ones; the subject is never touched. Foreign
words are words of other *trained* templates and made-up ones. **No word of a held-out template can come out**: the
pool is built without them and made-up words that hit one are drawn again, so unseen wordings stay unseen.
"""

import random
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from deslm_jax.knowledge import normalise
from train.facts import Wordings

_SUBJECT = "{subject}"
_ONSETS = ("", *"bcdfghjklmnprstvwz", "br", "ch", "dr", "gr", "kl", "pr", "qu", "sh", "st", "tr")
_VOWELS = (*"aeiouaeiouy", "ai", "ea", "ia", "oo")
_CODAS = ("", "", "", *"nrlsmtx", "nd", "rk", "sh")


class Noise(NamedTuple):
    """How often each kind of noise strikes."""

    drop: float = 0.0  # of a template word: left out
    insert: float = 0.0  # before a template word: a foreign word
    replace: float = 0.0  # of a template word: a foreign word instead
    made_up: float = 0.3  # of the foreign words: invented, not from the pool
    clean: float = 0.2  # of the questions: left as they are


class WordPool(NamedTuple):
    """Foreign words, and the words that may never appear. All normalised."""

    words: tuple[str, ...]
    banned: frozenset[str]


def word_pool(wordings: Wordings) -> WordPool:
    """Returns the pool of the words of trained templates, without any that a held-out template has."""
    banned = _words(wordings.calibrate) | _words(wordings.test)
    return WordPool(tuple(sorted(_words(wordings.train) - banned)), banned)


def noisy_question(template: str, subject: str, noise: Noise, pool: WordPool, randomness: random.Random) -> str:
    """Returns the template filled with the subject, its other words noisy."""
    if randomness.random() < noise.clean:
        return template.replace(_SUBJECT, subject)
    words: list[str] = []
    for word in template.split():
        if _SUBJECT in word:
            words.append(word.replace(_SUBJECT, subject))
            continue
        if randomness.random() < noise.insert:
            words.append(_foreign(noise, pool, randomness))
        strike = randomness.random()
        if strike < noise.drop:
            continue
        replaced = strike < noise.drop + noise.replace
        words.append(_foreign(noise, pool, randomness) if replaced else word)
    return " ".join(words)


def made_up_name(randomness: random.Random, banned: Collection[str] = (), words: int = 0) -> str:
    """Returns a capitalised name of one to three syllables a word, one or two words unless `words` says how many."""
    count = words or (2 if randomness.random() < 0.25 else 1)
    return " ".join(_made_up_word(randomness, banned).capitalize() for _ in range(count))


def _foreign(noise: Noise, pool: WordPool, randomness: random.Random) -> str:
    if not pool.words or randomness.random() < noise.made_up:
        return _made_up_word(randomness, pool.banned)
    return randomness.choice(pool.words)


def _made_up_word(randomness: random.Random, banned: Collection[str]) -> str:
    while True:
        syllables = randomness.choices((1, 2, 3), (2, 5, 2))[0]
        word = "".join(randomness.choice(_ONSETS) + randomness.choice(_VOWELS) for _ in range(syllables))
        word += randomness.choice(_CODAS)
        if len(word) > 2 and word not in banned:
            return word


def _words(templates: Mapping[str, Sequence[str]]) -> frozenset[str]:
    text = " ".join(template.replace(_SUBJECT, " ") for group in templates.values() for template in group)
    return frozenset(normalise(text).split())
