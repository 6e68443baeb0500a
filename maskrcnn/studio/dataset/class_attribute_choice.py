"""The choice of the attribute that is the class, in the Classes view and in the preview of an import, and its words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import streamlit as st

from maskrcnn.annotations.formats.via import class_attributes
from maskrcnn.annotations.formats.via.class_attributes import Candidate
from maskrcnn.annotations.intake import Staged
from maskrcnn.annotations.store import Project
from maskrcnn.studio.dataset import new_class_questions, project_cache
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.words import counted


def class_choice_in_words(name: str | None, known: Mapping[str, Candidate]) -> str:
    """The text of a choice of the class attribute: no attribute (None), one of the candidates, or several at once.

    `known` maps the names of the candidates to them.
    """
    if name is None:
        return "none: all regions are of one class"
    return candidate_in_words(known[name]) if name in known else f"{name}: each where it is set"


def candidate_in_words(candidate: Candidate) -> str:
    """A choice of the class attribute as text: one candidate, for example "type: 3 values in 240 regions"."""
    text = f"{candidate.name}: {counted(len(candidate.values), 'value')} in {counted(candidate.n_regions, 'region')}"
    return f"{text}, {candidate.several} with several ticked" if candidate.several else text


def class_values_in_words(values: Mapping[str, int], most: int = 12) -> str:
    """The values of the chosen class attribute as text, the most frequent first, for example "cat (12), dog (3)"."""
    shown = [f"{name} ({count})" for name, count in list(values.items())[:most]]
    if len(values) > most:
        shown.append(f"and {len(values) - most} more")
    return ", ".join(shown) or "none"


def choose_for_import(staged: Staged, key: str) -> str | None:
    """Draw the choice of the class attribute in the preview of an import, and return the selected one.

    If there is nothing to choose from, nothing is drawn and the present one is returned.
    """
    now = staged.dataset.class_attribute
    candidates = {candidate.name: candidate for candidate in staged.candidates}
    if not candidates:
        return now
    return _select_attribute(
        now,
        candidates,
        staged.rivals,
        "With one of them as the class, regions that have another get none; the last choice below takes each of them.",
        key,
        help="VIA does not say which of its attributes is the class, so a rule guesses. Change it here if it is wrong.",
    )


def _select_attribute(
    now: str | None,
    candidates: Mapping[str, Candidate],
    rivals: Sequence[str],
    consequence: str,
    key: str,
    help: str | None = None,
) -> str | None:
    """Draw the list of candidates for the class attribute, `now` selected, and return the selected one.

    If there are rivals, all of them together are the last choice, and a warning with its `consequence` comes first.
    """
    each = ", ".join(rivals)
    if each:
        st.warning(f"Several attributes name classes: {plain(each)}. {consequence}", icon=":material/warning:")
    choices: list[str | None] = [None, *candidates, *([each] if each else [])]
    return st.selectbox(
        "Which attribute is the class",
        choices,
        choices.index(now) if now in choices else 0,
        format_func=lambda name: class_choice_in_words(name, candidates),
        key=key,
        help=help,
    )


_OPEN = "dataset_class_attribute_open"


def choose_for_project(project: Project, generation: int, rerun: Callable[[str], None]) -> None:
    """Draw the choice of the class attribute of a project in the Classes view, and the button that changes it.

    The last choice takes all rivals, see `_candidates_and_rivals`. `generation` is part of the widget key; `rerun`
    reruns the page with a message after the change.
    """
    now = project.class_attribute
    words = f'The class is the attribute "{plain(now)}"' if now else "Classes come from no attribute"
    with st.expander(words, icon=":material/label:", key=_OPEN, on_change="rerun"):
        if not st.session_state[_OPEN]:  # all regions must be read to find the candidates
            return
        with st.spinner("Looking at the attributes of all regions"):
            found, rivals = _candidates_and_rivals(str(project.folder), now, project_cache.stamp(project))
        if not found:
            st.markdown("No region has attributes, so there is nothing to choose from.")
            return
        known = {candidate.name: candidate for candidate in found}
        chosen = _select_attribute(
            now,
            known,
            rivals,
            "Regions that have another one than the class get no class; the last choice below takes each of them.",
            f"dataset_class_attribute_{generation}",
        )
        if chosen in known:
            st.markdown(f"Its values: {plain(class_values_in_words(known[chosen].values))}")
        st.markdown(
            "The classes that regions have now go back into their attribute, and how it is now is kept as a snapshot."
        )
        class_names: Iterable[str] = ()
        if chosen in known:
            class_names = known[chosen].values
        elif chosen:  # the choice of all rivals
            class_names = rivals
        present = {entry.name for entry in project.classes()}
        new = [name for name in class_names if name not in present]
        others = [
            candidate_in_words(candidate) for candidate in found if candidate.name != chosen and candidate.n_regions
        ]
        allowed = new_class_questions.confirm_many_classes(
            new, chosen or "", others, f"dataset_class_many_{chosen}_{len(new)}"
        )
        blocked = chosen == now or not allowed
        if st.button("Change the class attribute", disabled=blocked, key="dataset_set_class_attribute"):
            with session.fail_softly(stop=False):
                with st.spinner("Giving every region its class anew"):
                    project.set_class_attribute(chosen)
                rerun("Every region has its class from " + (chosen or "no attribute"))


@st.cache_data(max_entries=4, show_spinner=False)
def _candidates_and_rivals(
    folder: str, now: str | None, stamp: project_cache.Stamp
) -> tuple[tuple[Candidate, ...], tuple[str, ...]]:
    """The attributes that could be the class, and the names of the rivals.

    Rivals are attributes that name the classes together, each for a part of the regions. `now` and `stamp` are part of
    the cache key.
    """
    dataset = Project(Path(folder)).dataset()
    return class_attributes.class_candidates(dataset), class_attributes.rival_attributes(dataset)
