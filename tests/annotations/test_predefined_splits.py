"""The splits that a dataset defines itself."""

from __future__ import annotations

import pytest

from maskrcnn.annotations import predefined_splits


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("train/a.jpg", "train"),
        ("images/val2017/a.jpg", "val"),
        ("annotations/instances_train2017.json", "train"),
        ("Valid/a.jpg", "val"),
        ("set_validation/a.jpg", "val"),
        ("testing/a.jpg", "test"),
        ("train/test/a.jpg", "test"),
        ("trainyard/a.jpg", None),
        ("interval/a.jpg", None),
        ("a.jpg", None),
    ],
)
def test_the_split_that_a_name_says(name: str, word: str | None) -> None:
    assert predefined_splits.split_word(name) == word
