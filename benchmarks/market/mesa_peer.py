"""The frozen market in Mesa 3: one Python object a node, as its users write models.

What nodes say is drawn for all of them at once by NumPy and handed out, which spares Mesa the hash; everything else is
the agents' own doing. The bits are those of `consensus.simulator.market`.
"""

import mesa
import numpy as np

from consensus.simulator.market import Market, Setting
from consensus.simulator.market_play import begin


class Node(mesa.Agent):
    """One node of the market."""

    def __init__(self, model: "MesaMarket", stake: int, good: int, bad: int, beta: int, skill: int) -> None:
        super().__init__(model)
        self.stake, self.good, self.bad, self.beta, self.skill = stake, good, bad, beta, skill
        self.is_right, self.x, self.e, self.weight = False, 0, 0, 0

    def vote(self) -> None:
        said = self.model.said[self.unique_id - 1]
        self.is_right, self.x = said & 1 == 1, said >> 1
        self.e = self.beta * self.x >> 16
        reputation = min(max(4 * self.good - 2 * self.bad, 4_096), 65_536)
        self.weight = (self.stake >> 18) * reputation >> 16
        self.model.weight += self.weight
        self.model.margin += self.weight * (self.e if self.is_right else -self.e)

    def settle(self) -> None:
        model = self.model
        before = self.stake
        if self.is_right == model.accepts_right:
            self.stake += self.weight * model.fee_q20 >> 20
        if self.is_right:
            self.good += 256 - (self.good >> 6)
            self.bad -= self.bad >> 7
            surprise = 65_536
        else:
            self.stake -= before >> model.slash_shift
            self.good -= self.good >> 6
            self.bad += 256 - (self.bad >> 7)
            surprise = 0
        surprise -= min(max(32_768 + 4 * self.e, 0), 65_536)
        self.beta = min(max(self.beta + (self.x * surprise >> 16), 0), 65_536)
        model.earned += self.stake - before


class MesaMarket(mesa.Model):
    """The market; `play` gives the state after so many rounds."""

    def __init__(self, setting: Setting, market: Market) -> None:
        super().__init__(seed=0)
        self.setting, self.market = setting, market
        self.slash_shift = int(setting.slash_shift)
        for row in zip(*(column.tolist() for column in market[:5]), strict=True):
            Node(self, *row)

    def step(self) -> None:
        market = self.market
        self.said = begin(self.setting, market, None)[1].tolist()
        self.weight = self.margin = self.earned = 0
        self.agents.do("vote")
        accepts = abs(self.margin) > int(self.setting.threshold_q12) * self.weight
        pot = (int(market.reserve_micro) * int(self.setting.emission_rate_q32) >> 32) * accepts
        self.accepts_right = self.margin > 0
        self.fee_q20 = min((pot << 20) // max(self.weight, 1), (1 << 32) - 1)
        self.agents.do("settle")
        unpaid = pot - self.earned
        self.market = market._replace(
            treasury_micro=market.treasury_micro + unpaid - (unpaid >> 1),
            reserve_micro=market.reserve_micro - pot,
            burned_micro=market.burned_micro + (unpaid >> 1),
            stake_total_micro=market.stake_total_micro + self.earned,
            round=market.round + 1,
            accepted=market.accepted + accepts,
            accepted_wrong=market.accepted_wrong + (accepts and not self.accepts_right),
            right_answers=market.right_answers + sum(said & 1 for said in self.said),
        )

    def result(self) -> Market:
        """The state in columns."""
        fields = ("stake", "good", "bad", "beta", "skill")
        columns = [np.array([getattr(node, field) for node in self.agents]) for field in fields]
        scalars = [np.asarray(leaf, np.int64) for leaf in self.market[5:]]
        return Market(columns[0], *(column.astype(np.int32) for column in columns[1:]), *scalars)
