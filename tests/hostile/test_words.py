"""No foreign word reaches an element that renders Markdown, unless it went through `plain`.

Which elements do was tried in a browser (Streamlit 1.67): nearly all texts and labels; not `st.text`, `st.code`, the
options of `selectbox` and `multiselect`, placeholders, and the cells of `st.dataframe`. Here the syntax tree of each
page is walked: what such an element is given must be made of our own words, of numbers, and of what `plain` gives back.
"""

from __future__ import annotations

import ast
import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskrcnn.drawing.hex_colours import known_colour, rgb
from maskrcnn.drawing.swatches import disc
from maskrcnn.studio.shell.markdown_escape import LONGEST, WORD_JOINER, plain

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted([*(ROOT / "pages").glob("*/*.py"), *(ROOT / "maskrcnn" / "studio").rglob("*.py"), ROOT / "app.py"])

LABELLED = (
    *("markdown", "title", "header", "subheader", "caption", "info", "success", "warning", "error", "toast"),
    *("button", "download_button", "link_button", "page_link", "form_submit_button", "checkbox", "toggle", "popover"),
    *("slider", "number_input", "text_input", "text_area", "color_picker", "file_uploader", "selectbox", "expander"),
    *("multiselect", "status", "spinner", "dialog", "badge", "select", "config_input"),
)
"""Elements whose first argument is Markdown; `select` and `config_input` are ours."""

WITH_OPTIONS = ("radio", "segmented_control", "pills", "select_slider", "segments")
"""Elements whose options are Markdown, too, as `format_func` (in `url_state`: `show`) writes them."""

MORE_TEXTS = {"metric": 3, "tabs": 1, "progress": 0, "image": 0}
"""Elements of which more than the first argument, or another one, is Markdown: how many."""

KEYWORDS = ("label", "body", "help", "text", "caption", "captions", "value", "delta")
"""Arguments that are Markdown wherever they are named, except for what a person types into (see `_texts`)."""

CAREFUL = {
    *("plain", "bullets"),  # foreign words, made safe
    # of words that went through `plain`
    *("in_words", "_turn_words", "waiting_words", "source_in_words"),
    *("len", "sum", "round", "max", "min", "abs"),  # numbers
    *(
        "counted",
        "_heading",
        "about",
        "clock",
        "format_ap",
        "time_of_day_words",
        "estimate_parts_in_words",
        "short",
    ),
    *("byte_size", "day_and_time"),
    *("tip", "key_label"),  # of `hotkeys`: the words of its tables, and names of keys
}
"""Functions whose result is a number, or Markdown that was made with care."""

OURS: dict[str, str] = {
    # of _CHOICES and of the two versions
    "annotate/simple_canvas/conflict_view.py": "title label help differences_in_words(found)",
    "annotate/simple_canvas/navigation_bar.py": "number entry.n_regions entry.status entry.split",
    "annotate/simple_canvas/class_picker.py": "known_colour(entry.colour)",
    "annotate/simple_canvas/canvas_controls.py": "direction.capitalize() editor.saved_at",
    "annotate/dataset_links.py": "label",
    "launch/config_field_inputs.py": "name part",  # fields of Config and parts of them
    "dataset/class_attribute_choice.py": "consequence help",
    "dataset/classes_view.py": "words",
    "dataset/doctor_view.py": "check.title check.why CHECKS[name].title colour icon meaning label "
    "finding.region_number",
    "dataset/export_view.py": "counts.pictures counts.train counts.val ready.regions",
    "dataset/project_cache.py": "words done total",
    "dataset/pictures_view.py": "sign name after label",
    "dataset/import_preview.py": "label number meaning counted_up.splits",
    "dataset/import_report.py": "label number meaning",
    "dataset/statistics_view.py": "label value meaning",
    "dataset/undo_bar.py": "done.words done.button",
    "shell/hotkeys.py": "label keys words",  # of its tables; class names went through `plain`
    "shell/running_trainings.py": "STATES[JobState.QUEUED].meaning now.state words.meaning epoch_text(now) times(now)",
    "launch/doctor_summary.py": "number",
    "launch/duration_estimate.py": "label",
    "launch/initial_weights_inputs.py": "label about",
    "launch/network_inputs.py": "initial_weights_inputs.offered_weights()[start] machine_in_words(machine) "
    "initial_weights_inputs.weights_note(start,default)",
    "launch/summary.py": "data.left_out() network_in_short(config)",
    "launch/training_inputs.py": "schedule_in_words(values['layers']) heading",
    "components/network_choice.py": "shipped_models.card_in_short(card)",  # the card of a model that ships
    "shell/projects_dialog.py": "label description help",
    "runs/queue_view.py": "bar_text(now) job.place state more STATES[state].meaning label meaning",
    "runs/run_actions.py": "item.label run_downloads.size_words(item.size) item.help",
    "runs/curve_charts.py": "loss gauge.title gauge.meaning word name "
    "drawn_steps_words(curves[0].rows,len(curves[0].drawn)) small_charts_words(is_thinned) "
    "most_steps(len(curves)) curve_data.x_axes([chosen.run,*compared])",
    "runs/predictions_by_epoch.py": "epochs words line page",
    "runs/model_card_view.py": "kind.word measured.epoch _interval_words(figure) _interval_words(first)",  # numbers
    "shell/project_switcher.py": "label",
    "shell/sidebar.py": "counts.done group page",
    "serving/uploads.py": "_refused.pop(context.session_id,None)",  # how much may be uploaded, in numbers
    "inspect/why_missed.py": "epoch map(str,networks)",
    "inspect/offered_runs.py": "title about",
    "inspect/picture_choice.py": "epoch_choice_help(best)",
    "inspect/drawing_options.py": "part",
    "inspect/measured_picture.py": "words colour line getattr(row,field) measured.report.definitions "
    "decimals_below(max(scores),min_score)",  # its definitions
    "inspect/soft_mask_panel.py": "rows columns int((np.abs(soft-0.5)<0.3).sum()) "
    "again_in_words(again,float(saved['score']),_mask_iou(pasted,saved))",  # numbers
    "evaluation/analyses/curves_view.py": "report.definitions['per_class']",
    "evaluation/analyses/downloads.py": "label",
    "evaluation/analyses/threshold_view.py": "title choice.f1_interval",
    "evaluation/headline.py": "name definitions[name] definitions[kind] epoch_choice_help(best) _pictures(shown) "
    "interval_words(len(shown.images),bool(edges.get('AP')))",  # numbers and definitions
    "learn/roi_texts.py": "chosen.level",
    "compare/changes_view.py": "word who found",  # numbers of a comparison
    "compare/compared_runs.py": "letter letter.upper()",
    "compare/differences_view.py": "found figures_table(rows) compared_words(a,b,sets,found) side.upper()",
    "compare/epoch_choice.py": "text letter.upper() epoch pair",  # a pair in words is two numbers
    "compare/paper_figures.py": "shipped_words()",
    "try_it/counting_view.py": "work.done work.total",
    "try_it/drawn_thumbnails.py": "selection",  # of `Candidates.select`, which draws nothing
    "try_it/sets/taking.py": "self._selection",
    "try_it/network_view.py": "title",
    "try_it/sets_view.py": "tried.network.epoch work.done",
    "try_it/status_view.py": "title work.done work.total done network_words(tried.network)",
    "try_it/take_away_view.py": "label found.there work.done work.total taking.kinds_of(opened.tried.config.tasks)",
    "shell/url_state.py": "label show",  # of its callers
    "pages/label/label_next.py": "seen.unlabelled seen.looked_at",
    "pages/inspect/compare.py": "differences_view.verdict_line(found)",
    "runs/run_status.py": "now.state words.meaning bar_text(now) STATES[JobState.LOST].meaning "
    "settings(run) learns_now(now.row,run.read_json(CONFIG)or{}) ended_early(run)",  # Markdown, made in run_words
}
"""File, by its path in `maskrcnn/studio` or from the root -> pieces that are numbers or words of
ours, as that file calls them (without blanks)."""


def _place(file: Path) -> str:
    """A file as `OURS` names it: within `maskrcnn/studio`, or from the root."""
    studio = ROOT / "maskrcnn" / "studio"
    return (file.relative_to(studio) if file.is_relative_to(studio) else file.relative_to(ROOT)).as_posix()


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _texts(call: ast.Call) -> Iterator[ast.expr]:
    """The arguments of a call that are drawn as Markdown."""
    name = _name(call.func)
    yield from call.args[: MORE_TEXTS.get(name, 1)]
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    for keyword, value in given.items():
        if keyword in KEYWORDS and not (keyword == "value" and name != "metric"):
            yield value
    if name in WITH_OPTIONS:
        shown = given.get("format_func") or given.get("show")
        yield shown if shown is not None else call.args[1]


def unsafe(source: str, ours: frozenset[str] = frozenset()) -> list[str]:
    """Line and source of each piece that an element draws as Markdown and that is not known to be safe.

    A name stands for all that its function (or one around it) assigns to it.
    """
    found: dict[str, None] = {}

    def walk(node: ast.AST, scopes: tuple[dict[str, list[ast.expr]], ...]) -> None:
        if isinstance(node, ast.FunctionDef | ast.Module):
            scopes = (_assigned(node), *scopes)
        if isinstance(node, ast.Call) and _name(node.func) in (*LABELLED, *WITH_OPTIONS, *MORE_TEXTS):
            for text in _texts(node):
                for piece in _pieces(text, scopes, ours):
                    found[f"{node.lineno}: {_name(node.func)} draws {piece}"] = None
        for child in ast.iter_child_nodes(node):
            walk(child, scopes)

    walk(ast.parse(source), ())
    return list(found)


def _assigned(scope: ast.AST) -> dict[str, list[ast.expr]]:
    """What a function or module assigns to its names, without the functions in it."""
    found: dict[str, list[ast.expr]] = {}

    def bind(target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            found.setdefault(target.id, []).append(value)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            for one, other in zip(target.elts, value.elts, strict=True):
                bind(one, other)

    def walk(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Assign):
                for target in child.targets:
                    bind(target, child.value)
            elif isinstance(child, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and child.value is not None:
                bind(child.target, child.value)
            if not isinstance(child, ast.FunctionDef):
                walk(child)

    walk(scope)
    return found


def _pieces(node: ast.expr, scopes: tuple[dict[str, list[ast.expr]], ...], ours: frozenset[str]) -> list[str]:
    """The pieces of an expression of which it is not known that they are safe, as source."""

    def of(*nodes: ast.expr | None) -> list[str]:
        return [piece for one in nodes if one is not None for piece in _pieces(one, scopes, ours)]

    if ast.unparse(node).replace(" ", "") in ours:
        return []
    match node:
        case ast.Constant() | ast.Compare() | ast.UnaryOp():
            return []
        case ast.FormattedValue() if node.format_spec and ast.unparse(node.format_spec).rstrip("'\"")[-1:] in "dfeg%,":
            return []  # a number, or it would have raised
        case ast.FormattedValue() | ast.Starred() | ast.NamedExpr() | ast.DictComp() | ast.Subscript():
            return of(node.value)
        case ast.JoinedStr() | ast.BoolOp() | ast.Dict():
            return of(*node.values)
        case ast.BinOp():
            return of(node.left, node.right) if isinstance(node.op, ast.Add | ast.Mod) else []
        case ast.IfExp():
            return of(node.body, node.orelse)
        case ast.Tuple() | ast.List():
            return of(*node.elts)
        case ast.GeneratorExp() | ast.ListComp():
            return of(node.elt)
        case ast.Lambda():
            return of(node.body)
        case ast.Attribute() if node.attr == "description":
            return []  # of a field of Config
        case ast.Attribute() if node.attr in ("get", "format", "__getitem__"):
            return of(node.value)
        case ast.Attribute() | ast.Name() if _name(node).lstrip("_").isupper():
            return []  # a constant of ours
        case ast.Name():
            place = next((place for place, scope in enumerate(scopes) if node.id in scope), None)
            if place is not None:  # without itself, as in `text = text + more`
                rest = ({**scopes[place], node.id: []}, *scopes[place + 1 :])
                return [piece for value in scopes[place][node.id] for piece in _pieces(value, rest, ours)]
        case ast.Call() if _name(node.func) in CAREFUL:
            return []
        case ast.Call() if isinstance(node.func, ast.Attribute) and node.func.attr in (
            "join",
            "get",
            "strip",
            "format",
        ):
            return of(node.func.value, *node.args)
        case ast.Call() if _name(node.func) == "map" and ast.unparse(node.args[0]) == "plain":
            return []
        case ast.Call() if _name(node.func) in ("filter", "list", "sentence", "quoted_list"):
            return of(*node.args)
    return [ast.unparse(node)]


def test_no_foreign_word_is_drawn_as_markdown() -> None:
    wrong = {}
    for file in FILES:
        if found := unsafe(file.read_text(encoding="utf-8"), frozenset(OURS.get(_place(file), "").split())):
            wrong[str(file.relative_to(ROOT))] = found
    assert wrong == {}


def test_nothing_is_drawn_by_calls_that_this_cannot_follow() -> None:
    """`st.write` and `st.table` draw any object, and `unsafe_allow_html` and `st.html` draw HTML."""
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                drawn_by = ast.unparse(node.func)
                if (file.parent.name, ast.unparse(node)) == ("shell", "st.html(_SHEET)"):  # our style sheet
                    continue
                assert drawn_by not in ("st.write", "st.table", "st.html", "st.latex", "st.caption"), (
                    f"{file}:{node.lineno}"
                )
                assert "unsafe_allow_html" not in {keyword.arg for keyword in node.keywords}, f"{file}:{node.lineno}"
                assert not drawn_by.endswith(("LinkColumn", "MarkdownColumn")), f"{file}:{node.lineno}"


@pytest.mark.parametrize(
    ("source", "piece"),
    [
        # The faults that were there.
        ('st.markdown(f"Nothing was trained in **{project.name}** yet.")', "project.name"),
        ('st.info(f"{run.name} has not finished an epoch yet.")', "run.name"),
        ('origin = f"The map is that of {source}"\nst.markdown(f":small[{origin}]")', "source"),
        ('badge = "b"\nst.markdown(f"{badge} :small[{shipped.in_short(card)}]")', "shipped.in_short(card)"),
        # Others of the kind.
        ("st.button(name)", "name"),
        ("column.metric('AP', value)", "value"),
        ("st.radio('Run', runs)", "runs"),
        ("st.pills('Run', runs, format_func=lambda run: run.title)", "run.title"),
        ("st.segmented_control('Run', runs, format_func=str)", "str"),
        ("st.checkbox('Run', help=about)", "about"),
        ("st.image(picture, caption=file_name)", "file_name"),
        ("st.progress(0.5, text='reading ' + file_name)", "file_name"),
        ("st.error(str(error))", "str(error)"),
        ("tabs = st.tabs(names)", "names"),
        ("def draw(words):\n    text = plain(words)\n    text += words\n    st.warning(text)", "words"),
        ('st.success(f"{name:>20}")', "name"),
        ("st.title(', '.join(classes))", "classes"),
        ("st.markdown(sentence(run.name))", "run.name"),
        ("st.markdown(f'Delete {quoted_list(names)}?')", "names"),
    ],
)
def test_a_word_that_nobody_made_safe_is_found(source: str, piece: str) -> None:
    assert [found.rpartition(" draws ")[2] for found in unsafe(source)] == [piece]


@pytest.mark.parametrize(
    "source",
    [
        'st.markdown(f"**{plain(run.name)}**, {len(runs)} of {score:.3f}")',
        "text = plain(name)\nst.info(text)",
        "st.selectbox('Run', names)",
        "st.text_input('Name', value=name, placeholder=name)",
        "st.pills('Run', runs, format_func=lambda run: plain(run.title))",
        "st.button(WORDS[name] if name else 'none')",
        "st.text(name)",
        "st.info(', '.join(map(plain, names)))",
    ],
)
def test_what_is_safe_is_let_through(source: str) -> None:
    assert unsafe(source) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://x.y", "http:⁠//x.y"),
        ("www.x.y", "www⁠.x.y"),
        ("a@b.c", "a@⁠b.c"),
        (":smile: :+1:", ":⁠smile: :⁠+1:"),
        (":material/home:", ":⁠material/home:"),
        ("a -> b", "a ⁠-> b"),
        ("__b__ a__c", "__b__ a__c"),
        ("[a](b)", "[a](b)"),
        ("two\nlines\tand \x1b[31m\u202ered", "two lines and �[31m�red"),
        ("half \udcff", "half �"),
        ("a" * 2000, "a" * (LONGEST - 1) + "…"),
    ],
)
def test_text_keeps_its_letters(text: str, shown: str) -> None:
    """Escapes aside, which Markdown takes away; tests/browser/test_words.py has what a browser draws."""
    assert plain(text).replace("\\", "") == shown
    assert plain(text).encode()
    assert shown.count(WORD_JOINER) == plain(text).count(WORD_JOINER)


@pytest.mark.parametrize(
    "colour",
    ["", "red", "#12345", "#1234567", "#12345g", '#123456"/><image href="http://c.example/"/>', "#123456\n", None, 7],
)
def test_a_colour_that_is_none_is_grey(colour: object) -> None:
    assert known_colour(colour) == "#a0a0a0"
    assert rgb(colour) == (160, 160, 160)  # type: ignore[arg-type]


def test_a_swatch_holds_no_foreign_mark_up() -> None:
    drawn = base64.b64decode(disc('"/><script>', "</text><script>").partition(",")[2]).decode()
    assert "<script>" not in drawn
    assert 'fill="#a0a0a0"' in drawn
