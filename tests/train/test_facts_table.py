"""The bundled facts are complete and agree with what can be known of them independently; planted errors are found."""

import re
from collections import Counter

import pytest

from train.facts import Fact, ask, load_facts, load_templates

# The periodic table in order, written down independently of the file.
SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr "
    "Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir "
    "Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl "
    "Mc Lv Ts Og"
)
LATIN = {"Na", "K", "Fe", "Cu", "Ag", "Sn", "Sb", "W", "Au", "Hg", "Pb"}  # symbols from another name of the element
CONTINENTS = {"Africa": 54, "Asia": 48, "Europe": 44, "North America": 23, "Oceania": 14, "South America": 12}
UNIONS = {
    "euro": "Andorra, Austria, Belgium, Bulgaria, Croatia, Cyprus, Estonia, Finland, France, Germany, Greece, Ireland, "
    "Italy, Latvia, Lithuania, Luxembourg, Malta, Monaco, Montenegro, Netherlands, Portugal, San Marino, Slovakia, "
    "Slovenia, Spain, Vatican City",
    "West African CFA franc": "Benin, Burkina Faso, Guinea-Bissau, Ivory Coast, Mali, Niger, Senegal, Togo",
    "Central African CFA franc": "Cameroon, Central African Republic, Chad, Equatorial Guinea, Gabon, "
    "Republic of the Congo",
    "East Caribbean dollar": "Antigua and Barbuda, Dominica, Grenada, Saint Kitts and Nevis, Saint Lucia, "
    "Saint Vincent and the Grenadines",
    "US dollar": "East Timor, Ecuador, El Salvador, Marshall Islands, Micronesia, Palau, United States",
    "Australian dollar": "Australia, Kiribati, Nauru, Tuvalu",
    "Swiss franc": "Liechtenstein, Switzerland",
    "Israeli new shekel": "Israel, Palestine",
}
RELATION_SIZES = {"capital": 195, "continent": 195, "currency": 195, "symbol": 118, "atomic number": 118}
PLANETS = ["Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune"]
ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"]


def values(facts: list[Fact], relation: str) -> dict[str, str]:
    return {fact.subject: fact.object for fact in facts if fact.relation == relation}


def problems(facts: list[Fact]) -> list[str]:
    """What is wrong with a table of facts; an empty list for a right one."""
    found = [f"twice: {key}" for key, n in Counter(fact[:2] for fact in facts).items() if n > 1]
    sizes = Counter(fact.relation for fact in facts)
    found += [f"{sizes[r]} of {r}, not {n}" for r, n in RELATION_SIZES.items() if sizes[r] != n]
    return found + country_problems(facts) + science_problems(facts)


def country_problems(facts: list[Fact]) -> list[str]:
    capital, continent, currency = (values(facts, r) for r in ("capital", "continent", "currency"))
    found = [] if set(capital) == set(continent) == set(currency) else ["a country lacks a relation"]
    found += [f"{city} is the capital of {n} countries" for city, n in Counter(capital.values()).items() if n > 1]
    if Counter(continent.values()) != Counter(CONTINENTS):
        found.append(f"continents {Counter(continent.values())}")
    shared: dict[str, set[str]] = {}
    for country, money in currency.items():
        shared.setdefault(money, set()).add(country)
    users = {money: countries for money, countries in shared.items() if len(countries) > 1}
    expected = {money: set(names.split(", ")) for money, names in UNIONS.items()}
    found += [f"users of {money}" for money in users | expected if users.get(money) != expected.get(money)]
    return found + [f"{c} speaks" for c in values(facts, "official language") if c not in capital]


def science_problems(facts: list[Fact]) -> list[str]:
    number, symbol = values(facts, "atomic number"), values(facts, "symbol")
    in_order = [symbol.get(name) for name in sorted(number, key=lambda name: int(number[name]))]
    found = [] if in_order == SYMBOLS.split() else ["symbols in the order of the atomic numbers"]
    found += [] if sorted(map(int, number.values())) == list(range(1, 119)) else ["atomic numbers are not 1 to 118"]
    for name, short in symbol.items():
        if short not in LATIN and not re.match(short[0] + ".*" + short[1:], name, re.IGNORECASE):
            found.append(f"{name} is not {short}")
    found += [f"{moon} orbits {p}" for moon, p in values(facts, "planet").items() if p not in PLANETS[2:]]
    if values(facts, "position from the Sun") != dict(zip(PLANETS, ORDINALS, strict=True)):
        found.append("the order of the planets")
    waters = ("Sea", "Ocean", "Bay of", "Gulf of", "Channel")
    found += [f"{r} ends in {w}" for r, w in values(facts, "mouth").items() if not any(x in w for x in waters)]
    quantities = values(facts, "quantity").values()
    return found + [f"two units of {q}" for q, n in Counter(quantities).items() if n > 1]


def test_the_bundled_facts_hold_no_problem() -> None:
    facts = list(load_facts())
    assert problems(facts) == []
    assert 1000 <= len(facts) <= 1150


@pytest.mark.parametrize(
    ("subject", "relation", "wrong"),
    [
        ("iron", "symbol", "Ir"),
        ("iron", "atomic number", "27"),
        ("gold", "atomic number", "119"),
        ("Peru", "capital", "Bogota"),
        ("Turkey", "continent", "Europe"),
        ("Croatia", "currency", "Croatian kuna"),
        ("Chad", "currency", "West African CFA franc"),
        ("Titan", "planet", "Pluto"),
        ("Venus", "position from the Sun", "third"),
        ("newton", "quantity", "pressure"),
        ("Danube", "mouth", "Romania"),
    ],
)
def test_a_planted_error_is_found(subject: str, relation: str, wrong: str) -> None:
    facts = [f._replace(object=wrong) if f[:2] == (subject, relation) else f for f in load_facts()]
    assert problems(facts)


def test_a_lost_or_repeated_fact_is_found() -> None:
    facts = list(load_facts())
    assert problems([f for f in facts if f[:2] != ("Tuvalu", "capital")])
    assert problems([*facts, facts[0]])


def test_names_are_clean_text() -> None:
    for fact in load_facts():
        for field in fact:
            assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 ,.'-]*", field), fact


def test_subjects_of_a_relation_differ_by_more_than_case() -> None:
    keys = Counter((fact.subject.casefold(), fact.relation) for fact in load_facts())
    assert max(keys.values()) == 1


def test_every_relation_has_many_wordings() -> None:
    templates = load_templates()
    assert set(templates) == {fact.relation for fact in load_facts()}
    for relation, wordings in templates.items():
        assert len({wording.casefold() for wording in wordings}) == len(wordings) >= 12, relation
        assert any(w.startswith("{subject}") for w in wordings), f"{relation}: a wording should begin with the subject"
        assert any(re.search(r"\{subject\}\W?$", w) for w in wordings), (
            f"{relation}: a wording should end with the subject"
        )
        assert any(w[-1] not in "?." and not w.endswith("}") for w in wordings), f"{relation}: one to be completed"


def test_no_question_has_two_answers() -> None:
    templates = load_templates()
    answers: dict[str, set[str]] = {}
    for fact in load_facts():
        for template in templates[fact.relation]:
            answers.setdefault(ask(template, fact.subject), set()).add(fact.object)
    assert [question for question, found in answers.items() if len(found) > 1] == []


def test_no_wording_gives_an_answer_away() -> None:
    templates = load_templates()
    for fact in load_facts():
        for template in templates[fact.relation] if fact.relation != "symbol" else ():  # "In" is a word and a symbol
            assert not re.search(rf"\b{re.escape(fact.object)}\b", ask(template, "")), (fact, template)
