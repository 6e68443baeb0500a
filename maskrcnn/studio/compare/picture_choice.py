"""Choice of the picture on the Compare page, with buttons and keys for the previous and next one."""

from __future__ import annotations

from collections.abc import Sequence

from streamlit.delta_generator import DeltaGenerator

from maskrcnn.studio.compare.compared_runs import PAGE
from maskrcnn.studio.inspect import picture_steps
from maskrcnn.studio.shell import hotkeys, url_state


def show(names: Sequence[str], default: str, picture_column: DeltaGenerator, step_column: DeltaGenerator) -> int:
    """Draw the list of pictures, and return the position of the chosen one.

    `default` is the one to open with. It is put into the URL, so that other epochs leave the page at that picture.
    """
    if url_state.current("image", "", page=PAGE) not in names:
        url_state.choose("image", default)
    return picture_steps.choose(names, default, PAGE, hotkeys.COMPARE, picture_column, step_column, "collapsed")
