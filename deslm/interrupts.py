"""Ctrl-C that is not lost: one that arrives inside a library's callback, where Python drops it, stops the next step."""

import signal
from types import FrameType

_seen = False


def remember() -> None:
    """From now on remember a Ctrl-C as well as raise KeyboardInterrupt for it; call it from the main thread."""
    signal.signal(signal.SIGINT, _on_interrupt)


def check() -> None:
    """Raise KeyboardInterrupt if there was a Ctrl-C; call it between steps."""
    if _seen:
        raise KeyboardInterrupt


def _on_interrupt(number: int, frame: FrameType | None) -> None:
    global _seen
    _seen = True
    raise KeyboardInterrupt
