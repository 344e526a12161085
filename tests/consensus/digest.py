"""One hash of a network and its nodes: what "the same history gives the same bits" means in the tests."""

import hashlib

import numpy as np

from consensus.state import Network, Nodes


def compute_digest(network: Network, nodes: Nodes) -> str:
    """sha256 over every leaf in field order: name, shape, then little-endian int64."""
    hashed = hashlib.sha256()
    for state in (network, nodes):
        for name, leaf in state._asdict().items():
            array = np.asarray(leaf)
            assert array.dtype == np.int64, f"{name} is {array.dtype}"
            hashed.update(f"{name}{array.shape}".encode())
            hashed.update(array.astype("<i8").tobytes())
    return hashed.hexdigest()
