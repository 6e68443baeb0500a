"""Questions before new classes are made: a name similar to that of an existing class, or hundreds of classes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import streamlit as st

from maskrcnn.annotations.doctor import class_name_checks
from maskrcnn.annotations.intake import MOST_CLASSES
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.words import counted

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


_NAMED = 6


def make(
    key: str,
    name: str | None,
    existing: Sequence[str],
    add: Callable[[str], object],
    use: Callable[[str], object],
    *,
    renaming: bool = False,
) -> None:
    """`add(name)` where no class in `existing` looks like it; else ask, with a button for `use(other)` and one for
    `add(name)`. With `renaming`, `use` merges a class into the other, and `add` gives it the name all the same.

    `name` is None while nothing was submitted; the question stays until it is answered. `add` and `use` may raise
    `StudioError`, which becomes one red line, and may rerun the page.
    """
    slot = f"{key}_alike"
    if name is not None:
        st.session_state.pop(slot, None)
        other = class_name_checks.alike(name, existing)
        if other is None:
            with session.fail_softly(stop=False):
                add(name)
            return
        st.session_state[slot] = (name, other)
    waiting: tuple[str, str] | None = st.session_state.get(slot)
    if waiting is None:
        return
    name, other = waiting
    if other not in existing or name in existing:
        del st.session_state[slot]
        return
    st.warning(
        f"“{plain(name)}” looks like “{plain(other)}”, which is there already. To training, two names are two classes.",
        icon=":material/spellcheck:",
    )
    with st.container(horizontal=True, gap="small"):
        use_it = f"Merge into “{plain(other)}”" if renaming else f"Use “{plain(other)}”"
        add_it = f"Call it “{plain(name)}” all the same" if renaming else f"Add “{plain(name)}” all the same"
        used = st.button(use_it, type="primary", icon=":material/check:", key=f"{slot}_use")
        added = st.button(add_it, icon=":material/add:", key=f"{slot}_add")
    if used or added:
        del st.session_state[slot]
        with session.fail_softly(stop=False):
            if used:
                use(other)
            else:
                add(name)


def ask_import(names: Mapping[str, str], known: Collection[str], key: str) -> Mapping[str, str]:
    """The question of `class_name_checks.of_import`'s result; the names to change once somebody agrees."""
    if not names:
        return {}
    pairs = [
        f"“{plain(odd)}” looks like “{plain(meant)}”{' of this project' if meant in known else ''}"
        for odd, meant in list(names.items())[:_NAMED]
    ]
    more = f" and {counted(len(names) - _NAMED, 'more class', 'more classes')}" if len(names) > _NAMED else ""
    st.warning(f"{'; '.join(pairs)}{more}. To training, two names are two classes.", icon=":material/spellcheck:")
    label = "Import it as" if len(names) == 1 else "Import them as"
    into = ", ".join(f"“{plain(meant)}”" for meant in list(dict.fromkeys(names.values()))[:3])
    if st.button(f"{label} {into}{', …' if len(set(names.values())) > 3 else ''}", icon=":material/merge:", key=key):
        return names
    return {}
