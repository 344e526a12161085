"""The command line: quick to answer, one sentence for every mistake, no traceback unless asked."""

import errno
import io
import os
import subprocess
import sys
import types

import pytest

from deslm import cli, errors

HEAVY = ("jax", "flax", "numpy", "optax", "rich", "cryptography", "msgspec")


def install_command(monkeypatch: pytest.MonkeyPatch, run) -> None:
    """Make `deslm ask` run the given function; `ask` takes one optional word."""
    module = types.ModuleType("deslm.ask")
    module.add_arguments = lambda parser: parser.add_argument("question", nargs="?")
    module.run = run
    monkeypatch.setitem(sys.modules, "deslm.ask", module)


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_answers_without_importing_anything_heavy(argument):
    code = (
        "import sys; from deslm import cli\n"
        f"try: cli.main([{argument!r}])\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_version_is_the_packages(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"deslm {cli.__version__}\n"


def test_root_documents_name_the_version(repository_root):
    assert f"\nversion: {cli.__version__}\n" in (repository_root / "CITATION.cff").read_text()
    assert f"\n## {cli.__version__} " in (repository_root / "CHANGELOG.md").read_text()


def test_without_a_command_prints_help(capsys):
    assert cli.main([]) == 0
    shown = capsys.readouterr().out
    for command in cli.COMMANDS:
        assert f"    {command.name} " in shown


def test_passes_arguments_and_returns_the_commands_status(monkeypatch):
    seen = []
    install_command(monkeypatch, lambda args: seen.append(args.question) or 1)
    assert cli.main(["ask", "What is the capital of Peru?"]) == 1
    assert seen == ["What is the capital of Peru?"]


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (errors.UserError("the prompt is empty; ask something"), 2, "the prompt is empty; ask something"),
        (ValueError("line 3 has\n 2 columns"), 2, "line 3 has 2 columns"),
        (FileNotFoundError(errno.ENOENT, "x", "facts.tsv"), 2, "facts.tsv does not exist; check the path"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "a file could not be written because the disk is full"),
        (ModuleNotFoundError("No module named 'rich'", name="rich.live"), 2, "the package rich is not installed"),
        (ModuleNotFoundError("No module named 'train.x'", name="train.x"), 1, "unexpected ModuleNotFoundError"),
        (TypeError("bad operand"), 1, "unexpected TypeError: bad operand"),
        (KeyboardInterrupt(), 130, "stopped at your request"),
    ],
)
def test_an_error_is_one_sentence_and_a_status(monkeypatch, capsys, error, status, sentence):
    def run(args):
        raise error

    install_command(monkeypatch, run)
    assert cli.main(["ask"]) == status
    captured = capsys.readouterr()
    assert captured.err.startswith(f"deslm: {sentence}")
    assert captured.err.count("\n") == 1
    assert captured.out == ""


@pytest.mark.parametrize("arguments", [["--debug", "ask"], ["ask", "--debug"]])
def test_debug_shows_the_traceback(monkeypatch, capsys, arguments):
    def run(args):
        raise ValueError("wrong")

    install_command(monkeypatch, run)
    assert cli.main(arguments) == 2
    assert "Traceback" in capsys.readouterr().err


def test_debug_after_a_double_dash_is_a_word(monkeypatch):
    seen = []
    install_command(monkeypatch, lambda args: seen.append(args.question) or 0)
    assert cli.main(["ask", "--", "--debug"]) == 0
    assert seen == ["--debug"]


def test_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["nonsense"])
    assert "nonsense" in capsys.readouterr().err


@pytest.mark.parametrize("trainer", ["tokenizer", "generator", "discriminator"])
def test_train_hands_its_arguments_on_unread(monkeypatch, trainer):
    seen = []
    module = types.ModuleType(f"train.{trainer}")
    module.main = seen.append
    monkeypatch.setitem(sys.modules, f"train.{trainer}", module)
    assert cli.main(["train", trainer, "--help", "--out", "runs/x", "--steps=5"]) == 0
    assert seen == [["--help", "--out", "runs/x", "--steps=5"]]


def test_a_reader_who_leaves_is_no_error():
    code = (
        "import sys, types; from deslm import cli\n"
        "def run(args):\n"
        "    print('first', flush=True); sys.stdin.readline()\n"
        "    print('second'); return 0\n"
        "ask = types.ModuleType('deslm.ask'); ask.add_arguments = lambda parser: None; ask.run = run\n"
        "sys.modules['deslm.ask'] = ask; sys.exit(cli.main(['ask']))"
    )
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([sys.executable, "-c", code], env=buffered, text=True, **pipes) as process:
        assert process.stdout.readline() == "first\n"
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == ""
        assert process.wait() == errors.CLOSED_PIPE


def test_a_plain_terminal_gets_question_marks(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    install_command(monkeypatch, lambda args: print("τ of Bogotá") or 0)
    assert cli.main(["ask"]) == 0
    assert raw.getvalue() == b"? of Bogot?\n"
