"""The choice between the editor and the simple canvas of the Annotate page.

It is in the URL (`?canvas=simple`), and the session remembers it for the next visit to the page.
"""

from __future__ import annotations

import streamlit as st

_NAME, _SIMPLE, _EDITOR = "canvas", "simple", "editor"
_LAST = "annotate_canvas_choice_last"
_CANNOT = (
    "It cannot place vertices close to each other, cut, merge, make holes, keep borders shared, keep an unfinished "
    "outline, or zoom about the cursor."
)


def is_simple() -> bool:
    """Whether the simple canvas is chosen, by the URL or else by the last choice of this session."""
    asked = st.query_params.get(_NAME, st.session_state.get(_LAST))
    st.session_state[_LAST] = asked
    # Streamlit does not write the parameters of a link to the same page into the URL.
    if asked == _SIMPLE:
        st.query_params[_NAME] = _SIMPLE
    elif _NAME in st.query_params:
        del st.query_params[_NAME]
    return asked == _SIMPLE


def prefer_editor() -> None:
    """Open the editor unless the URL names the simple canvas: a link needs what only the editor can show."""
    if _NAME not in st.query_params:
        st.session_state[_LAST] = _EDITOR


def show() -> None:
    """Draw the button that opens the other canvas. Next to the simple canvas, a line says what it cannot do.

    It is no link: Streamlit draws a link to the page that is shown as if it were chosen.
    """
    simple = st.session_state.get(_LAST) == _SIMPLE
    if simple:
        st.markdown(f":small[Simple canvas: for a quick box or an outline of few points. {_CANNOT}]")
    st.button(
        "Editor" if simple else "Simple canvas",
        key="annotate_other_canvas",
        type="tertiary",
        icon=":material/draw:" if simple else ":material/crop_square:",
        help=None if simple else f"For a quick box or an outline of few points. {_CANNOT}",
        on_click=_choose,
        args=(_EDITOR if simple else _SIMPLE,),
    )


def _choose(canvas: str) -> None:
    """Show this canvas from the next script run on (callback). The picture and the project stay in the URL."""
    st.session_state[_LAST] = canvas
    if canvas == _SIMPLE:
        st.query_params[_NAME] = _SIMPLE
    else:
        st.query_params.pop(_NAME, None)
