"""The options of the commands that run a trained network."""

import argparse
from pathlib import Path

import pytest
import torch

from maskrcnn.cli.model_options import add_inference, load_for_inference
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.model import build, weights
from maskrcnn.model.mixed_precision import supports_bfloat16
from tests import tiny


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    weights.save(build(Config.preset("classroom", **tiny.CONFIG)), path, epoch=1)
    return path


def options(checkpoint: Path, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_inference(parser)
    args = parser.parse_args(["--device", "cpu", *words])
    args.model = checkpoint
    return args


@pytest.mark.parametrize(
    ("words", "dtype"),
    [
        ((), torch.bfloat16 if supports_bfloat16(torch.device("cpu")) else torch.float32),
        (("--precision", "float32"), torch.float32),
        (("--precision", "bfloat16"), torch.bfloat16),
    ],
)
def test_precision_is_that_of_the_convolutions(checkpoint: Path, words: tuple[str, ...], dtype: torch.dtype) -> None:
    before = checkpoint.read_bytes()
    model = load_for_inference(options(checkpoint, *words))
    assert next(model.backbone.parameters()).dtype == dtype
    assert not model.training
    assert checkpoint.read_bytes() == before


def test_compile_needs_a_compiler(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(function: object) -> None:
        raise RuntimeError("no g++")

    monkeypatch.setattr(torch, "compile", fail)
    with pytest.raises(StudioError, match="no g\\+\\+"):
        load_for_inference(options(checkpoint, "--compile"))
