"""The heap's settings reach a child process, and do what they are for."""

import resource
import subprocess
import sys

import pytest

from train.environment import trainer_environment

# Takes and gives back 16 MiB twenty times, as XLA does with its scratch memory, and counts page faults.
_PROBE = """
import ctypes, resource
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    block = libc.malloc(16 << 20)
    ctypes.memset(block, 1, 16 << 20)
    libc.free(block)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_what_is_set_by_hand_is_kept():
    assert trainer_environment({"A": "b"})["A"] == "b"
    by_hand = trainer_environment({"GLIBC_TUNABLES": "glibc.malloc.top_pad=1:glibc.rtld.nns=2"})["GLIBC_TUNABLES"]
    assert by_hand.startswith("glibc.malloc.top_pad=1:glibc.rtld.nns=2:")
    assert by_hand.count("top_pad") == 1
    assert trainer_environment(trainer_environment({})) == trainer_environment({})


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the variable is glibc's")
def test_memory_given_back_is_kept_by_the_heap():
    plain, kept = (
        int(subprocess.run([sys.executable, "-c", _PROBE], env=env, capture_output=True, text=True, check=True).stdout)
        for env in ({"GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=131072"}, trainer_environment({}))
    )
    pages = 20 * (16 << 20) // resource.getpagesize()
    assert plain > 0.9 * pages
    assert kept < 0.1 * pages
