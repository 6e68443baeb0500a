"""`python -m maskrcnn doctor`: find faults of a dataset that harm training, and write repaired labels."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from tqdm import tqdm

from maskrcnn.annotations import Dataset, learnable_objects, read
from maskrcnn.annotations.dataset import ImageRecord
from maskrcnn.annotations.doctor import CHECKS, Finding, PictureFileNotes, apply, choose, examine
from maskrcnn.annotations.formats.via import class_attribute_across_files
from maskrcnn.annotations.formats.writing import FORMATS, encode, write_encoded, written_regions_in_words
from maskrcnn.annotations.learnable_objects import LearnableCounts
from maskrcnn.annotations.store import Project, is_project
from maskrcnn.cli.label_warnings import print_warnings
from maskrcnn.errors import ArgumentError
from maskrcnn.output_files import require_place, write_json
from maskrcnn.runs.readiness import learnable_in_project
from maskrcnn.words import counted, one_line

SHOWN = 10
"""Maximum number of findings printed for each check; `--json` lists all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `doctor` and its help text."""
    parser.epilog = (
        "The exit status is 0 also if there are findings, 1 if the labels cannot be read, and 2 for bad arguments. The "
        "labels that were read are never changed. --fix mends only clear faults. If there are several ways to mend a "
        "finding, or the mend removes something, choose it with --choose."
    )
    parser.add_argument("data", type=Path, metavar="DATASET", help="labels to examine: a file, folder or project")
    parser.add_argument("--images", type=Path, metavar="DIR", help="where the pictures are, if not beside the labels")
    parser.add_argument(
        "--val", type=Path, metavar="DATASET", help="labels to validate on: examined with the others, as one dataset"
    )
    parser.add_argument(
        "--class-attribute",
        metavar="NAME",
        help="the VIA region attribute that is the class, where the rule would find another, or several (mango,orange),"
        " each where it is set; --val follows it",
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the findings there, for programs")
    parser.add_argument("--fix", type=Path, metavar="DST", help="write the mended labels there, in the same format")
    parser.add_argument("--fix-val", type=Path, metavar="DST", help="the same for the labels of --val")
    parser.add_argument(
        "--choose",
        action="append",
        default=[],
        metavar="CHECK=MEND",
        help="with --fix, mend these findings too, which are not mended unasked; the report names what there is to "
        "choose: --choose crowd=make-object",
    )


def run(args: argparse.Namespace) -> None:
    """Examine labels and print the findings; write repaired labels with `--fix` and JSON with `--json`."""
    if args.fix_val and not args.val:
        raise ArgumentError(f"--fix-val {args.fix_val}: there are no labels to mend for it; name them with --val")
    wanted = _chosen_mends(args.choose)
    if wanted and not (args.fix or args.fix_val):
        raise ArgumentError(f"--choose {args.choose[0]}: nothing is mended without --fix DST; name where to write it")
    sources = [path for path in (args.data, args.val) if path]
    datasets = [read(args.data, args.images, args.class_attribute)]
    class_attribute_across_files.require_class_choice(datasets[0], args.class_attribute)
    if args.val:
        datasets.append(class_attribute_across_files.as_in_training(read(args.val, args.images), datasets[0]))
    for dataset in datasets:
        print_warnings(dataset)
    _refuse_to_overwrite([path for path in (args.json, args.fix, args.fix_val) if path], sources, datasets)
    if args.json:
        require_place(args.json)

    file_notes: dict[Path, PictureFileNotes] = {}
    findings = _examined(datasets, file_notes)
    tallies = [
        learnable_in_project(Project.open(path))
        if is_project(path)
        else learnable_objects.tally(dataset.images, sized=lambda record: _noted_picture_size(record, file_notes))
        for path, dataset in zip(sources, datasets, strict=True)
    ]
    decided = choose(findings, wanted)
    print(report(datasets, findings, tallies))
    if args.fix or args.fix_val:
        places = [(args.fix, args.data), *([(args.fix_val, args.val)] if args.val else [])]
        _write_mended(datasets, decided, places, file_notes)
    if args.json:
        write_json(args.json, document(datasets, findings, tallies))


def _chosen_mends(choices: Sequence[str]) -> dict[str, str]:
    """Check -> repair, from the options `--choose CHECK=MEND`. A mend is the name of a repair for the check's findings.

    Raises `ArgumentError` if an option is malformed, its check is unknown, or a check is given two repairs.
    """
    wanted: dict[str, str] = {}
    for choice in choices:
        check, _, option = choice.partition("=")
        if not (check and option):
            raise ArgumentError(f"--choose {choice}: give a check and a mend, such as crowd=make-object")
        if check not in CHECKS:
            raise ArgumentError(f"--choose {choice}: there is no check {check}; they are {', '.join(CHECKS)}")
        if check in wanted and wanted[check] != option:
            raise ArgumentError(f"--choose {choice}: {check} has {wanted[check]} already; give one mend for each check")
        wanted[check] = option
    return wanted


def _noted_picture_size(
    record: ImageRecord, file_notes: Mapping[Path, PictureFileNotes]
) -> learnable_objects.Size | None:
    """For the tally of the `doctor` command: the size of a picture, noted by its examination; None if unknown."""
    notes = file_notes.get(record.path) if record.path is not None else None
    return notes.size if notes is not None else None


def report(datasets: Sequence[Dataset], findings: Sequence[Finding], tallies: Sequence[LearnableCounts]) -> str:
    """The text for the terminal: what a training uses of each dataset (`tallies`), then the findings of each check."""
    pictures, regions = sum(len(d.images) for d in datasets), sum(d.n_regions for d in datasets)
    numbers = f"{counted(pictures, 'picture')}, {counted(regions, 'region')}"
    lines = [f"{_dataset_names(datasets)}: {numbers}; {_severity_counts(findings)}"]
    for dataset, tally in zip(datasets, tallies, strict=True):
        of = f" from {dataset.source}" if len(datasets) > 1 else ""
        lines.append(one_line(f"learned{of}: {tally.in_short()}"))
        lines += [f"  - {one_line(line)}" for line in tally.remarks()]
    for check, group in groupby(findings, key=lambda finding: finding.check):
        found = list(group)
        lines += ["", f"{CHECKS[check].title}: {_severity_counts(found)} ({check})", f"  {CHECKS[check].why}"]
        for finding in found[:SHOWN]:
            mend = f" -> {finding.fix.words}" if finding.fix else ""
            lines.append(f"  - {one_line(_finding_place(finding) + finding.what + mend)}")
        if len(found) > SHOWN:
            lines.append(f"  ... and {len(found) - SHOWN:,} more; --json OUT lists all")
        lines += _mend_choices(check, found)
    return "\n".join(lines)


def _mend_choices(check: str, findings: Sequence[Finding]) -> list[str]:
    """The lines that list the mends of a check that are applied only with `--choose`; empty if there are none."""
    offered = Counter(choice.option_name for finding in findings for choice in finding.choices)
    words: dict[str, dict[str, None]] = {}
    for finding in findings:
        for choice in finding.choices:
            words.setdefault(choice.option_name, {})[choice.words] = None
    lines = []
    for option, number in offered.items():
        first, *others = words[option]
        mend = f"{shlex.quote(f'{check}={option}')}: {first}{' and the like' if others else ''}"
        lines.append(f"    --choose {one_line(mend)} ({number:,})")
    return ["  not mended unasked; with --fix DST choose one of", *lines] if lines else []


def document(
    datasets: Sequence[Dataset], findings: Sequence[Finding], tallies: Sequence[LearnableCounts]
) -> dict[str, Any]:
    """The JSON document of `--json`.

    It has the number of findings by check, each finding with its place and mends, and what a training uses of each
    dataset (`tallies`).
    """
    return {
        "datasets": [str(dataset.source) for dataset in datasets],
        "pictures": sum(len(dataset.images) for dataset in datasets),
        "regions": sum(dataset.n_regions for dataset in datasets),
        "learned": [
            {
                "dataset": str(dataset.source),
                "objects": dict(tally.objects),
                "not_learned": [
                    {"reason": reason, "class": name, "regions": number}
                    for (reason, name), number in tally.left.items()
                ],
                "pictures_of_background": list(tally.bare),
            }
            for dataset, tally in zip(datasets, tallies, strict=True)
        ],
        "counts": dict(Counter(finding.check for finding in findings)),
        "findings": [
            {
                "check": finding.check,
                "title": finding.title,
                "severity": finding.severity,
                "dataset": _finding_source(datasets, finding),
                "file": finding.file_name,
                "region": finding.region_number,
                "what": finding.what,
                "why": finding.why,
                "fix": finding.fix and finding.fix.words,
                "choices": {choice.option_name: choice.words for choice in finding.choices},
                "box": finding.box and [float(value) for value in finding.box],
            }
            for finding in findings
        ],
    }


def _examined(datasets: Sequence[Dataset], file_notes: MutableMapping[Path, PictureFileNotes]) -> list[Finding]:
    """The findings of a dataset, or of a training and a validation set that are examined together as one dataset.

    `file_notes` is filled with the examined pictures, and saves reading them again.
    """
    if len(datasets) == 1:
        (dataset,) = datasets
    else:
        training, validation = datasets
        images = [replace(record, split=record.split or "train") for record in training.images]
        images += [replace(record, split="val") for record in validation.images]
        classes = tuple(dict.fromkeys((*training.classes, *validation.classes)))
        dataset = replace(training, images=tuple(images), classes=classes)
    with tqdm(total=len(dataset.images), unit=" pictures", disable=None) as bar:

        def show_progress(done: int, total: int) -> None:
            bar.update(done - bar.n)  # `update` takes the number of pictures since its last call

        return examine(dataset, progress=show_progress, file_notes=file_notes)


def _write_mended(
    datasets: Sequence[Dataset],
    findings: Sequence[Finding],
    places: Sequence[tuple[Path | None, Path]],
    file_notes: MutableMapping[Path, PictureFileNotes],
) -> None:
    """Apply the findings, write each repaired dataset that has an output path, and print what was mended.

    `places` holds for each dataset the output path (or None) and the path it was read from.
    """
    mended: list[Dataset] = []
    done: list[Finding] = []
    for dataset, (place, _), own in zip(datasets, places, _findings_by_dataset(datasets, findings), strict=True):
        own = [finding for finding in own if finding.fix and place]
        mended.append(apply(dataset, own) if own else dataset)
        done += own
    formats = [_output_format(dataset, source) for dataset, (_, source) in zip(datasets, places, strict=True)]
    wanted = [
        (dataset, place, name)
        for dataset, (place, _), name in zip(mended, places, formats, strict=True)
        if place is not None
    ]
    for dataset, _, name in wanted[1:]:
        encode(dataset, name)  # raises before the first file is written
    print()
    for dataset, place, name in wanted:
        encoded = encode(dataset, name)
        for warning in write_encoded(encoded, place, name):
            print(f"warning: {warning}", file=sys.stderr)
        regions = written_regions_in_words(encoded.n_regions, dataset.n_regions)
        print(f"{place}: {counted(len(dataset.images), 'picture')}, {regions} written as {FORMATS[name].words}")
    print(f"mended: {_printed_counts(done) or 'nothing'}")
    print(f"left: {_printed_counts(_examined(mended, file_notes)) or 'nothing'}")


def _findings_by_dataset(datasets: Sequence[Dataset], findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """The findings of each dataset, with picture indices that start at 0 in that dataset."""
    start = 0
    for dataset in datasets:
        end = start + len(dataset.images)
        yield [
            replace(finding, picture=finding.picture - start)
            for finding in findings
            if finding.picture is not None and start <= finding.picture < end
        ]
        start = end


def _output_format(dataset: Dataset, source: Path) -> str:
    """The format of the labels; "via-project" for a project or a format that cannot be written."""
    flavour = dataset.extras.get("flavour")
    return flavour if flavour in FORMATS and not is_project(source) else "via-project"


def _refuse_to_overwrite(places: Sequence[Path], sources: Sequence[Path], datasets: Sequence[Dataset]) -> None:
    """Raise `ArgumentError` if an output path of the doctor (`places`) is an input, is in an input folder, or is given
    twice.
    """
    read_files = {path for path in sources if not path.is_dir()}
    read_files |= {dataset.source for dataset in datasets if dataset.source and not dataset.source.is_dir()}
    folders = [path.resolve() for path in sources if path.is_dir()]
    pictures = {record.path.resolve() for dataset in datasets for record in dataset.images if record.path is not None}
    for number, place in enumerate(places):
        resolved = place.resolve()
        if any(_is_same_file(place, path) for path in read_files) or resolved in pictures:
            raise ArgumentError(f"{place}: this is a file that is read, and stays as it is; name another place")
        if any(resolved.is_relative_to(folder) for folder in folders):
            raise ArgumentError(
                f"{place}: this lies in the folder that is read, which stays as it is; name another place"
            )
        if resolved in {other.resolve() for other in places[:number]}:
            raise ArgumentError(f"{place}: this is named twice; give each file a place of its own")


def _is_same_file(one: Path, other: Path) -> bool:
    """Whether an output path of the doctor and a path that it reads are the same file."""
    return one.resolve() == other.resolve() or (one.exists() and other.exists() and one.samefile(other))


def _finding_source(datasets: Sequence[Dataset], finding: Finding) -> str | None:
    """The source of the dataset with the picture of a finding; None if the finding concerns no single picture."""
    start = 0
    for dataset in datasets:
        if finding.picture is not None and finding.picture < start + len(dataset.images):
            return str(dataset.source)
        start += len(dataset.images)
    return None


def _dataset_names(datasets: Sequence[Dataset]) -> str:
    """The sources of the examined datasets, as text."""
    return " and ".join(one_line(str(dataset.source)) for dataset in datasets)


def _finding_place(finding: Finding) -> str:
    """The start of a line about a finding: picture and region number, or empty."""
    if finding.file_name is None:
        return ""
    return finding.file_name + (f", region {finding.region_number}: " if finding.region_number else ": ")


def _severity_counts(findings: Sequence[Finding]) -> str:
    """The number of findings by severity, such as "2 warnings, 1 hint"."""
    numbers = Counter(finding.severity for finding in findings)
    parts = [counted(numbers[severity], severity) for severity in ("error", "warning", "hint") if numbers[severity]]
    return ", ".join(parts) or "nothing found"


def _printed_counts(findings: Sequence[Finding]) -> str:
    """The findings by check as the `doctor` command prints them, such as "2 x empty regions"."""
    return ", ".join(f"{n} x {CHECKS[check].title.lower()}" for check, n in Counter(f.check for f in findings).items())
