"""Between the package's NamedTuples of int64 arrays and the oracle's dicts of Python ints, leaf by leaf."""

from typing import Any, NamedTuple

import numpy as np

from consensus.state import Network, Nodes, Params

SHAPE_LETTERS = ("N", "R", "NR", "K", "KR", "G", "D", "C", "DC")


def plain_name(field: str) -> str:
    """A field's name without its shape letters: `good_q8_NR` -> `good_q8`."""
    head, _, tail = field.rpartition("_")
    return head if tail in SHAPE_LETTERS else field


def to_dict(value: NamedTuple) -> dict[str, Any]:
    """A NamedTuple of arrays as a dict of ints and lists of ints."""
    return {plain_name(name): np.asarray(leaf).tolist() for name, leaf in value._asdict().items()}


def from_dict(cls: Any, plain: dict[str, Any]) -> Any:
    """A NamedTuple of NumPy int64 arrays from a dict of ints and lists; read-only against assignments."""
    return cls(**{name: read_only(plain[plain_name(name)]) for name in cls._fields})


def read_only(value: Any) -> np.ndarray:
    """Ints as an int64 array that refuses to be written to."""
    array = np.array(value, dtype=np.int64)
    array.flags.writeable = False
    return array


def nodes_to_rows(nodes: Nodes) -> list[dict[str, Any]]:
    """Columns to one dict a node."""
    columns = to_dict(nodes)
    return [
        {name: list(column[i]) if isinstance(column[i], list) else column[i] for name, column in columns.items()}
        for i in range(len(columns["liquid_micro"]))
    ]


def rows_to_nodes(rows: list[dict[str, Any]]) -> Nodes:
    """One dict a node to columns."""
    return from_dict(Nodes, {name: [row[name] for row in rows] for name in rows[0]})


def to_world(params: Params, network: Network, nodes: Nodes) -> dict[str, Any]:
    """The oracle's world."""
    return {"params": to_dict(params), "network": to_dict(network), "nodes": nodes_to_rows(nodes)}


def world_to_state(world: dict[str, Any]) -> tuple[Network, Nodes]:
    """The network and nodes of an oracle's world."""
    return from_dict(Network, world["network"]), rows_to_nodes(world["nodes"])


def find_differences(got: NamedTuple, expected: NamedTuple) -> list[str]:
    """Every leaf that is not the same int64 array, as a sentence; empty if all agree to the bit."""
    sentences = []
    for name, mine, theirs in zip(expected._fields, got, expected, strict=True):
        mine = np.asarray(mine)
        if mine.dtype != np.int64:
            sentences.append(f"{name} has dtype {mine.dtype}, not int64")
        if mine.shape != theirs.shape:
            sentences.append(f"{name} has shape {mine.shape}, the oracle's {theirs.shape}")
        elif not np.array_equal(mine, theirs):
            sentences.append(f"{name} is {mine.tolist()}, the oracle says {theirs.tolist()}")
    return sentences


def assert_same(got: NamedTuple, expected: NamedTuple) -> None:
    """Fail with every differing leaf named."""
    differences = find_differences(got, expected)
    assert not differences, f"{type(expected).__name__}: " + "; ".join(differences)
