"""Attributes are back after the context, whatever happened within."""

import pytest
from torch import nn

from maskrcnn.model.temporary_attributes import temporary_attributes


def test_what_was_set_before_comes_back_and_what_was_absent_goes() -> None:
    layer = nn.Linear(1, 1)
    layer.note = "first"
    with temporary_attributes((layer, "note", "second"), (layer, "more", 1)):
        assert (layer.note, layer.more) == ("second", 1)
    assert layer.note == "first"
    assert "more" not in vars(layer)


def test_the_same_attribute_twice_and_contexts_within_contexts() -> None:
    layer = nn.Linear(1, 1)
    with temporary_attributes((layer, "note", 1), (layer, "note", 2)):
        assert layer.note == 2
        with temporary_attributes((layer, "note", 3)):
            assert layer.note == 3
        assert layer.note == 2
    assert "note" not in vars(layer)


def test_it_is_put_back_when_a_later_change_or_the_body_fails() -> None:
    layer, forward = nn.ReLU(), nn.ReLU.forward
    with pytest.raises(TypeError), temporary_attributes((layer, "forward", abs), (nn.Linear(1, 1), "weight", "text")):
        pass  # a parameter cannot become a text
    with pytest.raises(TypeError), temporary_attributes((layer, "forward", abs)):
        layer("no number")  # abs of a text
    assert "forward" not in vars(layer)
    assert layer.forward.__func__ is forward
