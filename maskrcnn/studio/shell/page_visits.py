"""The number of the present visit of a page: it rises whenever the session goes from one page to another.

Streamlit forgets the widgets of a page only when the script of the next page has ended. A person may click there before
that, so "is the widget still known?" does not say whether a visit is new; this number does.
"""

from __future__ import annotations

import streamlit as st

_PAGE, _NUMBER = "page_visits_page", "page_visits_number"


def note(page: str) -> None:
    """Count a visit, if `page` is another one than in the last script run. For `app.py`, before the page runs."""
    if st.session_state.get(_PAGE) != page:
        st.session_state[_PAGE], st.session_state[_NUMBER] = page, number() + 1


def number() -> int:
    """The number of the present visit. 1: the first of this session, by a typed URL, a reload or a new tab."""
    found: int = st.session_state.get(_NUMBER, 0)
    return found
