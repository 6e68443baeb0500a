"""Links to an epoch of a run (`RUN:EPOCH`) and to an object in it, as pages write them into the URL of Annotate.

`RUN:EPOCH:truth:ANNOTATION_ID` is a label of the run's documents, `RUN:EPOCH:found:POSITION` a detection: its position
in `RunFolder.detections(EPOCH)`. RUN is the label of the run in a choice of networks (`network_choice.on_offer`), or
the name of its folder. A link is data: it may name anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.project_runs import runs_in
from maskrcnn.studio.components import network_choice
from maskrcnn.words import one_line

Which = Literal["truth", "found"]

_LONGEST = 80
"""Maximum number of characters of a name that a message repeats."""


@dataclass(frozen=True)
class RunEpoch:
    """An epoch of a run that has saved detections. `label` names the run in the URLs of pages."""

    label: str
    run: RunFolder
    epoch: int

    def __str__(self) -> str:
        return f"{self.label}:{self.epoch}"


@dataclass(frozen=True)
class ObjectLink:
    """A label (`which` "truth", `number` its annotation id) or a detection ("found", its position) of an epoch."""

    of: RunEpoch
    which: Which
    number: int


def parsed_object(project: Project, text: str) -> ObjectLink:
    """Return what `RUN:EPOCH:truth:ANNOTATION_ID` or `RUN:EPOCH:found:POSITION` names. Raises `StudioError`."""
    match = re.fullmatch(r"(.+):(truth|found):(-?\d{1,16})", text, re.DOTALL | re.ASCII)
    if match is None:
        raise StudioError(f'"{_brief(text)}" names no object of a run; follow the link on the page once more')
    return ObjectLink(parsed_epoch(project, match[1]), "truth" if match[2] == "truth" else "found", int(match[3]))


def parsed_epoch(project: Project, text: str) -> RunEpoch:
    """Return the epoch that `RUN:EPOCH` names. Raises `StudioError` if the run or its detections are not there."""
    match = re.fullmatch(r"(.+):(\d{1,9})", text, re.DOTALL | re.ASCII)
    if match is None:
        raise StudioError(f'"{_brief(text)}" names no epoch of a run; follow the link on the page once more')
    name, epoch = match[1], int(match[2])
    offered = network_choice.on_offer(runs_in(project.runs_folder))
    label = name if name in offered else next((own for own, run in offered.items() if run.name == name), None)
    if label is None:
        raise StudioError(f'"{_brief(name)}" is no run of this project; choose another one under Predictions')
    run = offered[label]
    if epoch not in run.detection_epochs():
        raise StudioError(f"{_brief(run.name)} has no saved detections of epoch {epoch}; choose another epoch")
    return RunEpoch(label, run, epoch)


def _brief(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
