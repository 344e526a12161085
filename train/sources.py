"""Where training examples come from: anything with a length and an item at every index.

Random access is what makes a batch a function of (seed, step). Three kinds of source: a table of facts
(`train.facts`), a file of question and answer pairs, and a TensorFlow Datasets folder read without TensorFlow.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from deslm_jax.records import read_columns


class Source(Protocol):
    """Random access to records of text."""

    def __len__(self) -> int:
        """Number of records."""
        ...

    def __getitem__(self, index: int, /) -> Mapping[str, str]:
        """The record at an index; the same one every time."""
        ...


class TfdsSource:
    """A split of a dataset that TensorFlow Datasets prepared with `file_format="array_record"`.

    `folder` is the folder of one version (it holds `dataset_info.json`); `split` takes TFDS's slicing syntax, such as
    `train[:90%]`. Text comes back as str; fields that are no text become their plain spelling.
    """

    def __init__(self, folder: Path | str, split: str = "train"):
        import tensorflow_datasets as tfds

        folder = Path(folder)
        if not (folder / "dataset_info.json").exists():
            raise ValueError(f"{folder} is not a prepared TFDS dataset: it has no dataset_info.json.")
        builder = tfds.builder_from_directory(str(folder))
        if builder.info.file_format.value != "array_record":
            raise ValueError(
                f"{folder} is stored as {builder.info.file_format.value}, which has no random access; "
                'prepare it with file_format="array_record".'
            )
        try:
            self._data = builder.as_data_source(split=split)
        except (ValueError, KeyError):
            raise ValueError(f"{folder} has no split {split!r}; it has {', '.join(builder.info.splits)}.") from None

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, index: int, /) -> Mapping[str, str]:
        return {name: _as_text(value) for name, value in self._data[index].items()}


def read_pairs(path: Path | str) -> list[dict[str, str]]:
    """Returns the question and answer pairs of a TSV file (with a header line) or a JSONL file.

    Raises ValueError naming the line that has no `question` or no `answer`.
    """
    columns = ("question", "answer")
    return [dict(zip(columns, fields, strict=True)) for _, fields in read_columns(path, columns)]


def _as_text(value: Any) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)
