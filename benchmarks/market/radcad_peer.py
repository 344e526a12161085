"""The frozen market in radCAD with NumPy state: a policy that tallies, and one update for each state variable.

Copies of the state are switched off and only the last substep of a round is kept, its fastest settings. radCAD declares
numpy < 1.26.4 and runs with newer ones: install it with `pip install --no-deps radcad`.
"""

from typing import Any

from radcad import Engine, Model, Simulation
from radcad.engine import Backend

from consensus.simulator.market import Market, Setting
from consensus.simulator.market_play import begin, next_round


def play_radcad(setting: Setting, market: Market, rounds: int) -> Market:
    """`play_numpy`, driven by radCAD."""

    def settle(params: Any, substep: int, history: Any, state: dict[str, Any]) -> dict[str, Any]:
        run = Market(**{name: state[name] for name in Market._fields}), state["said"]
        after, said = next_round(setting, run, None)
        return {**after._asdict(), "said": said}

    def update(name: str) -> Any:
        return lambda params, substep, history, state, policy: (name, policy[name])

    names = (*Market._fields, "said")
    blocks = [{"policies": {"settle": settle}, "variables": {name: update(name) for name in names}}]
    initial = {**market._asdict(), "said": begin(setting, market, None)[1]}
    model = Model(initial_state=initial, state_update_blocks=blocks, params={})
    simulation = Simulation(model=model, timesteps=rounds, runs=1)
    simulation.engine = Engine(backend=Backend.SINGLE_PROCESS, deepcopy=False, drop_substeps=True)
    last = simulation.run()[-1]
    return Market(**{name: last[name] for name in Market._fields})
