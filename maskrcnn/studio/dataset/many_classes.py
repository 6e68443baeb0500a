"""Ask for confirmation before hundreds of classes are created, for example from a free-text attribute."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from maskrcnn.annotations.intake import MOST_CLASSES
from maskrcnn.studio.shell.markdown_escape import plain

_EXAMPLES, _CANDIDATES = 5, 4
_LONGEST = 40


def allowed(new: Sequence[str], what: str, others: Sequence[str], key: str) -> bool:
    """Whether these new classes may be made: at once if they are few, else once the person has said so.

    `what` is taken for the class, as foreign words; `others` are what else could be, each in a few words.
    """
    if len(new) <= MOST_CLASSES:
        return True
    examples = ", ".join(plain(name if len(name) <= _LONGEST else f"{name[:_LONGEST]}...") for name in new[:_EXAMPLES])
    text = (
        f"**{len(new):,} classes: is {plain(what)} really the class?** A network learns each class apart, from many "
        f"objects. For example: {examples}."
    )
    if others:
        more = f" and {len(others) - _CANDIDATES} more" if len(others) > _CANDIDATES else ""
        text += f" It could also be {'; '.join(map(plain, others[:_CANDIDATES]))}{more}."
    st.warning(text, icon=":material/help:")
    return st.checkbox(f"Yes, make all {len(new):,} classes", key=key)
