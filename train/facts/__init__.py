"""Facts to learn, the wordings they are asked in, and which of both a model never sees.

The bundled tables hold 1,100 hand-written world facts; the same functions read a user's own files, with any relations:

    from train.facts import load_facts, load_templates, split_templates
    facts = load_facts()                                   # or load_facts("my_facts.tsv")
    wordings = split_templates(load_templates(relations={fact.relation for fact in facts}))
    question = wordings.train["capital"][0].format(subject="Peru")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from train.facts.splits import (
        Wordings,
        held_out_words,
        is_held_out_subject,
        is_untaught_subject,
        split_templates,
        taught_facts,
        taught_subset,
        template_split,
        write_trained_wordings,
    )
    from train.facts.table import (
        BUNDLED_FACTS,
        BUNDLED_TEMPLATES,
        GENERIC_TEMPLATES,
        Fact,
        ask,
        load_facts,
        load_templates,
    )

_HOME = {
    "BUNDLED_FACTS": "table",
    "BUNDLED_TEMPLATES": "table",
    "GENERIC_TEMPLATES": "table",
    "Fact": "table",
    "ask": "table",
    "load_facts": "table",
    "load_templates": "table",
    "Wordings": "splits",
    "held_out_words": "splits",
    "is_held_out_subject": "splits",
    "is_untaught_subject": "splits",
    "split_templates": "splits",
    "taught_facts": "splits",
    "taught_subset": "splits",
    "template_split": "splits",
    "write_trained_wordings": "splits",
}
__all__ = [
    "BUNDLED_FACTS",
    "BUNDLED_TEMPLATES",
    "GENERIC_TEMPLATES",
    "Fact",
    "Wordings",
    "ask",
    "held_out_words",
    "is_held_out_subject",
    "is_untaught_subject",
    "load_facts",
    "load_templates",
    "split_templates",
    "taught_facts",
    "taught_subset",
    "template_split",
    "write_trained_wordings",
]


def __getattr__(name: str) -> Any:
    """The public names, imported on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
