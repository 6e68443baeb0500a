"""The workspace: which projects there are, and what is done to one as a whole. A browser tab only picks one.

`Workspace` is the door. What is done inside of a project is in `annotations.store`.
"""

from maskrcnn.workspace.copying import size_on_disk
from maskrcnn.workspace.faults import JobsWait, NoProject, ProjectGone, when
from maskrcnn.workspace.names import folder_name
from maskrcnn.workspace.project_bin import Deleted
from maskrcnn.workspace.workspace import HAD_PROJECTS, About, Duplicate, Workspace

__all__ = [
    "HAD_PROJECTS",
    "About",
    "Deleted",
    "Duplicate",
    "JobsWait",
    "NoProject",
    "ProjectGone",
    "Workspace",
    "folder_name",
    "size_on_disk",
    "when",
]
