"""Exports of a run in a thread: the page is there meanwhile, and shows how far the export is."""

from __future__ import annotations

import threading
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import BinaryIO, Literal

from maskrcnn.annotations.intake.temporary_folders import make_temporary_folder, remove_temporary_folder
from maskrcnn.errors import StudioError
from maskrcnn.runs.folder import RunFolder

Kind = Literal["bundle", "onnx"]
_MOST = 8
"""Maximum number of exports whose files are kept."""


class ExportJob:
    """The export of one run. `file` is None until it is done; `fault` says why it failed, else it is empty.

    `share` in [0, 1] and `words` say how far it is.
    """

    def __init__(self, kind: Kind, run: RunFolder) -> None:
        self.kind, self.run = kind, run
        self.file: Path | None = None
        self.fault, self.share, self.words = "", 0.0, "waiting"
        self._folder: Path | None = None
        self.thread = threading.Thread(target=self._work, daemon=True, name=f"export {kind}")
        self.thread.start()

    @property
    def is_running(self) -> bool:
        """Whether it is not finished yet."""
        return self.file is None and not self.fault

    def open(self) -> BinaryIO:
        """The file for a download. Raises `StudioError` if it is gone, as after a day."""
        if self.file is None or not self.file.is_file():
            raise StudioError(f"the export of {self.run.name} is gone; make it again")
        return self.file.open("rb")

    def discard(self) -> None:
        """Delete its files."""
        if self._folder is not None:
            remove_temporary_folder(self._folder)

    def _work(self) -> None:
        try:
            with _one_at_a_time:  # torch's exporter is not made for two threads, and each uses all cores
                self._folder = make_temporary_folder()
                self.file = self._bundle(self._folder) if self.kind == "bundle" else self._onnx(self._folder)
        except StudioError as error:
            where = f"{self._folder}/"
            self.fault = str(error).replace(where, "")
        except (MemoryError, OSError) as error:
            self.fault = f"{self.run.name}: cannot be exported ({error or 'too little memory'}); free some space"
        except BaseException:
            self.fault = f"{self.run.name}: the export failed; the terminal of the studio says why"
            raise

    def _step(self, share: float, words: str) -> None:
        self.share, self.words = share, words

    def _bundle(self, folder: Path) -> Path:
        """Write the bundle of the run into `folder`."""
        from maskrcnn.inference.export.bundle import write_bundle
        from maskrcnn.inference.export.source import export_source

        return write_bundle(export_source(self.run.path), folder / f"{self.run.name}.zip", self._step).file

    def _onnx(self, folder: Path) -> Path:
        """Write the ONNX file and its script into one zip in `folder`."""
        from maskrcnn.inference.export.onnx_file import export_onnx
        from maskrcnn.inference.export.source import export_source

        self._step(0.0, "starting torch")
        made = export_onnx(export_source(self.run.path), folder / f"{self.run.name}.onnx", self._step)
        packed = folder / f"{self.run.name}-onnx.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(made.file, made.file.name, zipfile.ZIP_STORED)
            archive.write(made.script, made.script.name)
        made.file.unlink()
        return packed


_one_at_a_time = threading.Lock()
_lock = threading.Lock()
_jobs: OrderedDict[tuple[Kind, str, tuple[int, int]], ExportJob] = OrderedDict()
"""The exports by kind, run and the stamp of its best weights, the oldest first."""


def _key(kind: Kind, run: RunFolder) -> tuple[Kind, str, tuple[int, int]]:
    """The key of an export in `_jobs`: weights that are replaced by better ones are another export."""
    try:
        about = run.best.stat()
        return kind, str(run.path), (about.st_mtime_ns, about.st_size)
    except OSError:
        return kind, str(run.path), (0, 0)


def export_job(kind: Kind, run: RunFolder) -> ExportJob | None:
    """The export of a run that was started, and that may be done; None if there is none."""
    with _lock:
        return _jobs.get(_key(kind, run))


def start_export(kind: Kind, run: RunFolder) -> ExportJob:
    """Start an export. One that is running, or that is done, is not made again; one that failed is."""
    key = _key(kind, run)
    with _lock:
        job = _jobs.get(key)
        if job is None or job.fault or (job.file is not None and not job.file.is_file()):
            if job is not None:
                job.discard()
            job = _jobs[key] = ExportJob(kind, run)
            _jobs.move_to_end(key)
        while len(_jobs) > _MOST and not next(iter(_jobs.values())).is_running:
            _jobs.popitem(last=False)[1].discard()
        return job
