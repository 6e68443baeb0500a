"""Questions before new classes are made: a name similar to that of an existing class, or hundreds of classes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import streamlit as st

from maskrcnn.annotations import similar_class_names
from maskrcnn.annotations.intake import MOST_CLASSES
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.words import counted

_EXAMPLES, _CANDIDATES, _NAMED = 5, 4, 6
"""Maximum numbers of examples of classes, of other attributes, and of similar classes in a question."""

_LONGEST = 40
"""Maximum number of characters of an example."""


def confirm_many_classes(new: Sequence[str], what: str, others: Sequence[str], key: str) -> bool:
    """Whether the new classes may be made. If there are more than `MOST_CLASSES`, the user must tick a box first.

    `what` is the attribute from which the classes come; `others` are texts of the other attributes that could be the
    class. Both are escaped here.
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


def add_class_or_ask(
    key: str,
    name: str | None,
    existing: Sequence[str],
    add: Callable[[str], object],
    use: Callable[[str], object],
    *,
    renaming: bool = False,
) -> None:
    """Add a class, or ask first if its name is similar to that of another class.

    If no name in `existing` is similar, `add(name)` is called. Otherwise a question with two buttons is drawn: one
    calls `use(other)` with the similar class, the other calls `add(name)`. With `renaming`, the user renames a class:
    then `use` merges it into the other class, and `add` renames it.

    `name` is None if nothing was submitted in this script run. The question stays until it is answered. A `StudioError`
    of `add` or `use` is shown on the page.
    """
    slot = f"{key}_alike"
    if name is not None:
        st.session_state.pop(slot, None)
        other = similar_class_names.similar_class(name, existing)
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


def ask_to_rename_import(names: Mapping[str, str], known: Collection[str], key: str) -> Mapping[str, str]:
    """Ask whether classes of an import that are similar to others get the names of these: `names` maps old to new ones.

    `names` is a result of `similar_class_names.similar_classes_of_import`, and `known` are the classes of the project.
    Returns `names` if the user agreed in this script run, else an empty mapping.
    """
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
