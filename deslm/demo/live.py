"""What the terminal shows while the network answers: the last decisions, the score so far, every node's stake.

On a terminal it is a table that redraws itself; anywhere else a line now and then.
"""

from collections import deque
from collections.abc import Mapping, Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from consensus.ledger import events
from consensus.units import MICRO, Q12

from .cast import Member
from .questions import Question
from .summary import normalise

_SHOWN, _LINE_EVERY = 8, 50


class Screen:
    """Fed with a block's events; use it in a `with`."""

    def __init__(
        self,
        console: Console,
        cast: Sequence[Member],
        keys: Mapping[str, bytes],
        before_micro: Mapping[str, int],
        questions: Sequence[Question],
    ) -> None:
        self.console, self.cast, self.keys, self.before_micro = console, cast, keys, before_micro
        self._questions = {question.text: question for question in questions}
        self._recent: deque[tuple[Question, events.Settled]] = deque(maxlen=_SHOWN)
        self._block: events.BlockEnded | None = None
        self.settled = self.right = self.wrong = 0
        self._live = Live(console=console, refresh_per_second=4) if console.is_terminal else None

    def __enter__(self) -> "Screen":
        if self._live:
            self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live:
            self._live.__exit__(*error)  # type: ignore[arg-type]

    def show(self, rows: Sequence[events.Event]) -> None:
        """Take in one block."""
        for row in rows:
            if isinstance(row, events.Settled) and row.prompt in self._questions:
                question = self._questions[row.prompt]
                self._recent.append((question, row))
                self.settled += 1
                is_right = normalise(row.accepted_text) == normalise(question.truth)
                self.right += row.accepted >= 0 and is_right
                self.wrong += row.accepted >= 0 and not is_right
                if self._live is None and self.settled % _LINE_EVERY == 0:
                    self.console.print(self._progress(), soft_wrap=True)
            elif isinstance(row, events.BlockEnded):
                self._block = row
        if self._live:
            self._live.update(Group(self._decisions(), self._nodes(), self._progress()))

    def _progress(self) -> Text:
        abstained = self.settled - self.right - self.wrong
        height = self._block.height if self._block else 0
        return Text(
            f"block {height}: {self.settled} of {len(self._questions)} questions settled, {self.right} accepted right, "
            f"{self.wrong} accepted wrong, {abstained} abstained"
        )

    def _decisions(self) -> Table:
        table = Table(expand=True, title="last decisions", title_justify="left")
        for name, ratio in (("question", 5), ("network says", 3), ("margin / threshold", 2), ("truth", 2)):
            table.add_column(name, ratio=ratio, no_wrap=True, overflow="ellipsis")
        for question, settled in self._recent:
            says = Text("abstains", style="dim")
            if settled.accepted >= 0:
                is_right = normalise(settled.accepted_text) == normalise(question.truth)
                says = Text(("✓ " if is_right else "✗ ") + settled.accepted_text, style="" if is_right else "bold red")
            odds = f"{settled.margin_q12 / Q12:+.2f} / {settled.tau_q12 / Q12:.2f}"
            truth = question.truth if question.taught else f"{question.truth} (untaught)"
            table.add_row(Text(question.text), says, odds, Text(truth))
        return table

    def _nodes(self) -> Table:
        lines = {line.key: line for line in self._block.nodes} if self._block else {}
        table = Table(expand=True)
        for name in ("generator", "stake", "voice", "discriminator", "stake", "voice"):
            table.add_column(name, justify="right" if name in ("stake", "voice") else "left")
        roles = [[m for m in self.cast if m.role == role] for role in ("generator", "discriminator")]
        for pair in zip(*roles, strict=False):
            cells: list[str | Text] = []
            for role, member in enumerate(pair):
                line = lines.get(self.keys[member.name])
                gain = (line.stake_micro - self.before_micro[member.name]) / MICRO if line else 0.0
                voice = f"{line.beta_q16[role] / 65536:.2f}" if line else ""
                label = member.name if member.is_honest else f"{member.name} (cheats)"
                cells += [label, Text(f"{gain:+,.0f}", style="red" if gain < 0 else "green"), voice]
            table.add_row(*cells)
        return table
