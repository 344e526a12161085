"""The parts of the page that need no script: the headline, the tables and the foot."""

from collections.abc import Iterable

from .data import Node, ReportData
from .explain import consensus_score, headline, lead, signed
from .markup import Markup, join, tag

_ROLES = (("generator", "Generators"), ("discriminator", "Discriminators"))
_OTHER = "not settled"


def draw_headline(data: ReportData) -> Markup:
    """Return the page's title and the paragraph below it."""
    return join([tag("h1", headline(data)), tag("p", " ".join(lead(data)), class_="lead")])


def draw_scoreboard(data: ReportData) -> Markup:
    """Return the table that compares the ways to decide, with a bar for each count of wrong answers."""
    most = max(max(score.wrong_accepted for score in data.scores), 1)
    network = consensus_score(data)
    rows = []
    for score in data.scores:
        wrong = tag("td", str(score.wrong_accepted), _bar(score.wrong_accepted / most), class_="number bar")
        cells = [
            tag("th", score.label, scope="row"),
            tag("td", _percent(score.coverage), class_="number"),
            wrong,
            tag("td", _percent(score.accuracy), class_="number"),
        ]
        rows.append(tag("tr", *cells, class_="ours" if score is network else None))
    head = _head("Decided by", "Answered", "Wrong", "Right")
    caption = tag("caption", "The same questions, each rival answering as many as the network: its surest ones.")
    return _scrolled("Ways to decide", tag("table", caption, head, tag("tbody", *rows), class_="scores"))


def draw_earnings(data: ReportData) -> Markup:
    """Return the table of what each node earned by kind; columns are the kinds that occur, in the order first seen."""
    kinds = list(dict.fromkeys(kind for node in data.nodes for kind, _ in node.earnings))
    if any(abs(_unexplained(node)) > 1e-6 for node in data.nodes):
        kinds.append(_OTHER)
    bodies = []
    for role, heading in _ROLES:
        nodes = [node for node in data.nodes if node.role == role]
        if not nodes:
            continue
        title = tag("tr", tag("th", heading, colspan=len(kinds) + 5, scope="rowgroup"), class_="group")
        total = [tag("th", f"All {heading.lower()}", scope="row", colspan=2)]
        total += [_amount(sum(_earned(node, kind) for node in nodes)) for kind in kinds]
        total += [_amount(sum(node.gain for node in nodes)), tag("td"), tag("td")]
        bodies.append(
            tag("tbody", title, *(_earnings_row(node, kinds) for node in nodes), tag("tr", *total, class_="sum"))
        )
    head = _head("Node", "Behaviour", *(kind[:1].upper() + kind[1:] for kind in kinds), "Net", "Stake at the end", "β")
    note = tag("p", "Tokens. β is how loudly the network hears a node at the end, from 0 to 1.", class_="note")
    return join([note, _scrolled("What each node earned", tag("table", head, *bodies, class_="earnings"))])


def _earnings_row(node: Node, kinds: list[str]) -> Markup:
    return tag(
        "tr",
        tag("th", node.name, scope="row", title=node.model or None),
        tag("td", draw_behaviour(node)),
        *(_amount(_earned(node, kind)) for kind in kinds),
        _amount(node.gain, strong=True),
        tag("td", f"{node.stake_after:,.1f}", class_="number"),
        tag("td", f"{node.beta:.2f}", class_="number"),
        class_=None if node.is_honest else "dishonest",
    )


def draw_behaviour(node: Node) -> Markup:
    """Return the node's behaviour; what is not honest carries a mark as well as a colour."""
    words = node.behaviour.replace("_", " ")
    return tag("span", words if node.is_honest else f"◆ {words}", class_="behaviour")


def draw_foot(data: ReportData) -> Markup:
    """Return what a reader has to trust, how to check the rest, and what made this page."""
    same = data.state_hash == data.replayed_hash
    verdict = "the same: the ledger verifies" if same else "DIFFERENT: the ledger does not verify"
    checks = [
        ("State hash", tag("code", data.state_hash)),
        ("Replayed hash", tag("code", data.replayed_hash)),
        ("Compared", tag("strong", verdict, class_=None if same else "wrong")),
        ("Supply error", tag("span", f"{data.supply_error_micro} micro-tokens")),
        ("Audited", tag("span", f"{_percent(data.audit_rate)} of the tasks")),
        ("Made", tag("span", data.made)),
        ("Command", tag("code", data.command)),
    ]
    seconds = [(phase, tag("span", f"{value:,.0f} s")) for phase, value in data.seconds]
    columns = [
        _column("What you have to trust", tag("ul", *(tag("li", line) for line in data.assumptions))),
        _column("What you can check", _definitions(checks)),
        _column("Settings", _definitions([(name, tag("span", value)) for name, value in data.settings])),
        _column("Made with", _definitions([(name, tag("span", value)) for name, value in data.versions] + seconds)),
    ]
    return join(columns)


def _column(heading: str, content: Markup) -> Markup:
    return tag("section", tag("h3", heading), content)


def _definitions(pairs: Iterable[tuple[str, Markup]]) -> Markup:
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs))


def _head(*names: str) -> Markup:
    return tag("thead", tag("tr", *(tag("th", name, scope="col") for name in names)))


def _scrolled(label: str, table: Markup) -> Markup:
    """A table wider than a phone scrolls by itself; the keyboard reaches it."""
    return tag("div", table, class_="scroll", role="region", aria_label=label, tabindex=0)


def _bar(share: float) -> Markup:
    rect = tag("rect", width=f"{100 * share:.2f}", height=4)
    return tag("svg", rect, viewBox="0 0 100 4", preserveAspectRatio="none", aria_hidden="true")


def _amount(tokens: float, *, strong: bool = False) -> Markup:
    text = signed(tokens) if abs(tokens) >= 0.005 else "0" if tokens == 0 else signed(tokens, 4)
    side = "loss" if tokens < 0 else None
    return tag("td", tag("strong", text) if strong else text, class_=f"number {side}" if side else "number")


def _unexplained(node: Node) -> float:
    """What the kinds leave of a node's gain: transfers, or escrow still open."""
    return node.gain - sum(tokens for _, tokens in node.earnings)


def _earned(node: Node, kind: str) -> float:
    if kind == _OTHER:
        return _unexplained(node)
    return sum(tokens for each, tokens in node.earnings if each == kind)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
