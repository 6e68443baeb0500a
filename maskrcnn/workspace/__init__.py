"""The workspace: list, create, copy, rename and delete projects as a whole.

`Workspace` is the interface of this package. Changes inside a project are in `annotations.store`. The project that is
selected in a browser tab is not part of the workspace.
"""

from maskrcnn.workspace.folder_names import folder_name
from maskrcnn.workspace.project_bin import Deleted
from maskrcnn.workspace.project_errors import JobsWait, NoProject, ProjectGone
from maskrcnn.workspace.project_folders import size_on_disk
from maskrcnn.workspace.workspace import HAD_PROJECTS, DuplicateProject, ProjectFacts, Workspace

__all__ = [
    "HAD_PROJECTS",
    "Deleted",
    "DuplicateProject",
    "JobsWait",
    "NoProject",
    "ProjectFacts",
    "ProjectGone",
    "Workspace",
    "folder_name",
    "size_on_disk",
]
