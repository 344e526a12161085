"""From an exception to the one sentence its user needs.

The command line never shows a traceback unless `--debug` asks for one. What the user can mend (bad input, a missing
file, a full disk) ends with status 2; what is ours to mend with status 1; Ctrl-C with 130, a closed pipe with 141.
"""

import errno
from typing import NamedTuple

USER_ERROR, OUR_ERROR, INTERRUPTED, CLOSED_PIPE = 2, 1, 130, 141

_OURS = ("deslm", "deslm_jax", "train", "consensus")

# What to do about the system errors a user meets; any other keeps the system's own words.
_REMEDIES = {
    errno.ENOENT: "does not exist; check the path",
    errno.EACCES: "may not be opened by this user; change its permissions or name another folder",
    errno.EPERM: "may not be changed by this user; change its permissions or name another folder",
    errno.ENOSPC: "could not be written because the disk is full; free some space and run the same command again",
    errno.EDQUOT: "could not be written because the disk quota is used up; free some space and run the command again",
    errno.EROFS: "lies on a read-only disk; name another folder",
    errno.EEXIST: "is there already and is no folder; name another folder",
    errno.EISDIR: "is a folder where a file was expected",
    errno.ENOTDIR: "has a file where a folder was expected",
}


class UserError(ValueError):
    """Something the user can mend; its message is one sentence that names what is wrong and what to do."""


class Failure(NamedTuple):
    """How a command ends when it cannot go on."""

    sentence: str  # one line, no traceback
    status: int  # the process's exit status


def describe(error: BaseException) -> Failure:
    """Return the sentence and the exit status for an exception that a command raised.

    >>> describe(UserError("the prompt is empty; ask something"))
    Failure(sentence='the prompt is empty; ask something', status=2)
    >>> describe(FileNotFoundError(2, "No such file or directory", "runs/x"))
    Failure(sentence='runs/x does not exist; check the path', status=2)
    """
    if isinstance(error, KeyboardInterrupt):
        return Failure("stopped at your request; run the same command again to go on", INTERRUPTED)
    if isinstance(error, BrokenPipeError):
        return Failure("", CLOSED_PIPE)
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] not in _OURS:
        package = (error.name or "a module").split(".")[0]
        return Failure(f"the package {package} is not installed; `deslm doctor` says what to do", USER_ERROR)
    if isinstance(error, MemoryError):
        return Failure("this machine has too little memory for that; ask for something smaller", USER_ERROR)
    if isinstance(error, OSError):
        return Failure(_describe_os_error(error), USER_ERROR)
    if type(error).__module__ == "sqlite3":
        # SQLite has its own errors for the same disks: "database or disk is full", "unable to open database file".
        return Failure(f"the ledger's database could not be used: {_one_line(error)}", USER_ERROR)
    if isinstance(error, ValueError):
        return Failure(_one_line(error), USER_ERROR)
    kind = type(error).__name__
    return Failure(f"unexpected {kind}: {_one_line(error)} (add --debug for the traceback, and report it)", OUR_ERROR)


def _describe_os_error(error: OSError) -> str:
    if error.errno in _REMEDIES:
        return f"{error.filename or 'a file'} {_REMEDIES[error.errno]}"
    return _one_line(error)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
