"""Sources: a user's pairs, and a TFDS folder written and read without TensorFlow."""

import importlib.util

import numpy as np
import pytest

from train.questions import pair_questions
from train.sources import TfdsSource, read_pairs


def test_pairs_from_tsv_and_jsonl(tmp_path):
    tsv, jsonl = tmp_path / "pairs.tsv", tmp_path / "pairs.jsonl"
    tsv.write_text("answer\tquestion\tnote\nLima\tCapital of Peru?\tx\n")
    jsonl.write_text('{"question": "Capital of Peru?", "answer": "Lima"}\n')
    assert read_pairs(tsv) == read_pairs(jsonl) == [{"question": "Capital of Peru?", "answer": "Lima"}]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.tsv", "question\tanswer\nWhy?\t\n", "line 2"),
        ("a.tsv", "question\treply\nWhy?\tBecause\n", "'answer'"),
        ("a.jsonl", '{"question": "Why?", "answer": "x"}\n{"question": "Why?"\n', "line 2"),
        ("a.tsv", "", "answer"),
    ],
)
def test_malformed_pairs_name_file_and_line(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        read_pairs(tmp_path / name)


def test_a_record_without_an_answer_is_named():
    with pytest.raises(ValueError, match="Record 1 has no 'answer'"):
        pair_questions([{"question": "a", "answer": "b"}, {"question": "c"}])


@pytest.fixture(scope="module")
def builder_folder(tmp_path_factory):
    """A dataset of ten pairs, prepared with TFDS's array_record writer."""
    if not importlib.util.find_spec("array_record"):
        pytest.skip("array_record is not installed")
    tfds = pytest.importorskip("tensorflow_datasets")

    class PairsBuilder(tfds.core.GeneratorBasedBuilder):
        """Questions nobody asks."""

        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = {"question": tfds.features.Text(), "answer": tfds.features.Text()}
            features["year"] = tfds.features.Scalar(dtype=np.int64)
            return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

        def _split_generators(self, _):
            rows = ((i, {"question": f"What is {i}?", "answer": f"né {i}", "year": i}) for i in range(10))
            return {"train": rows}

        def _generate_examples(self):
            raise NotImplementedError

    builder = PairsBuilder(data_dir=tmp_path_factory.mktemp("tfds"), file_format="array_record")
    builder.download_and_prepare()
    return builder.data_path


@pytest.mark.filterwarnings("default")
def test_a_tfds_folder_is_a_random_access_source(builder_folder):
    source = TfdsSource(builder_folder)
    rows = [source[i] for i in range(len(source))]
    assert sorted(row["answer"] for row in rows) == sorted(f"né {i}" for i in range(10))
    assert all(row == source[i] for i, row in reversed(list(enumerate(rows))))
    assert {row["year"] for row in rows} == {str(i) for i in range(10)}
    assert len(TfdsSource(builder_folder, "train[:30%]")) == 3
    assert {question.answer for question in pair_questions(source)} == {row["answer"] for row in rows}


@pytest.mark.filterwarnings("default")
def test_what_is_no_tfds_folder_is_one_clear_error(builder_folder, tmp_path):
    with pytest.raises(ValueError, match=r"no dataset_info\.json"):
        TfdsSource(tmp_path)
    with pytest.raises(ValueError, match="no split 'validation'; it has train"):
        TfdsSource(builder_folder, "validation")
