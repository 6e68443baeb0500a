"""`python -m maskrcnn export`: write a trained network as ONNX, for torchvision, or as a bundle."""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from maskrcnn.inference.export.agreement import Agreement
from maskrcnn.inference.export.source import ExportSource, Step, export_source
from maskrcnn.words import byte_size, counted

FORMATS = """\
onnx         NAME.onnx, for ONNX Runtime and other programs, and NAME_use.py, a script that finds objects in a picture
             with it; both need neither torch nor this studio
torchvision  NAME.pth, for torchvision's own builder of this network, where there is one, and NAME_load.py to load it
bundle       NAME.zip with weights, configuration, labels, results and model card: another studio opens it as a run, on
             the page Runs or with `open`
Before a file is there, ONNX Runtime or torchvision has found the same objects in three pictures as this studio does."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `export`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = FORMATS
    parser.add_argument(
        "model", metavar="RUN", help="a run folder, a model that ships with the studio (toy), or a file of weights"
    )
    parser.add_argument(
        "--to", required=True, choices=("onnx", "torchvision", "bundle"), dest="format", help="what to write"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the file to write; else the name of the run in this folder"
    )
    parser.add_argument("--epoch", type=int, metavar="N", help="the checkpoint of this epoch; else the best one")


def run(args: argparse.Namespace) -> None:
    """Export a network, and print the files and how well they agree with the network."""
    source = export_source(args.model, args.epoch)
    with tqdm(total=1.0, disable=None, leave=False, bar_format="{l_bar}{bar}| {elapsed} {postfix}") as bar:

        def step(share: float, words: str) -> None:
            bar.set_postfix_str(words, refresh=False)
            bar.update(share - bar.n)

        lines = _EXPORTS[args.format](source, args.out, step)
    print("\n".join(lines))


def _onnx(source: ExportSource, out: Path | None, step: Step) -> list[str]:
    """Export to ONNX; the lines to print."""
    from maskrcnn.inference.export.onnx_file import export_onnx

    made = export_onnx(source, out or Path(f"{source.name}.onnx"), step)
    return [
        f"{made.file}: {byte_size(made.file.stat().st_size)}, in float32, for pictures of any size",
        f"{made.script}: python {made.script} PICTURE OVERLAY.png (needs onnxruntime, numpy, opencv-python)",
        _agreement_line(made.agreement, made.pictures, "ONNX Runtime"),
    ]


def _torchvision(source: ExportSource, out: Path | None, step: Step) -> list[str]:
    """Export to torchvision; the lines to print."""
    from maskrcnn.inference.export.torchvision_file import export_torchvision

    made = export_torchvision(source, out or Path(f"{source.name}.pth"), step)
    return [
        f"{made.file}: {byte_size(made.file.stat().st_size)}, the state dict of torchvision's {made.builder}",
        f"{made.script}: builds that network and loads the weights (needs torch, torchvision)",
        _agreement_line(made.agreement, made.pictures, "torchvision"),
    ]


def _bundle(source: ExportSource, out: Path | None, step: Step) -> list[str]:
    """Export to a bundle; the lines to print."""
    from maskrcnn.inference.export.bundle import write_bundle

    made = write_bundle(source, out or Path(f"{source.name}.zip"), step)
    return [
        f"{made.file}: {byte_size(made.file.stat().st_size)}, the weights of epoch {made.epoch}, without pictures",
        f"open it on the page Runs of another studio, or: python -m maskrcnn open {made.file} --out RUN",
    ]


_EXPORTS = {"onnx": _onnx, "torchvision": _torchvision, "bundle": _bundle}


def _agreement_line(found: Agreement, pictures: int, program: str) -> str:
    """The printed line about the comparison with the network itself."""
    where = f"checked on {counted(pictures, 'picture')}"
    if not found.objects:
        return f"{where}: neither {program} nor the studio finds an object in them"
    masks = f", masks with an IoU of at least {found.iou:.4f}" if found.iou < 1 else ""
    return (
        f"{where}: {program} finds the same {counted(found.objects, 'object')}, boxes to {max(found.box, 1e-4):.4f} px"
        f"{masks}"
    )
