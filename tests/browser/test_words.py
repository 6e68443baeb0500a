"""Foreign words in the elements of Streamlit, as a real Chromium draws them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from maskrcnn.studio.shell.markdown_escape import WORD_JOINER, plain
from tests.browser.conftest import ROOT, Server, start_server
from tests.sweeps import sweep

WORDS = (
    "![a](http://pictures.example/a.png)",
    "[a](http://links.example)",
    "[a][b] [b]: http://links.example",
    "[^1] [^1]: a footnote",
    "<http://links.example> <a@mail.example>",
    "http://links.example/x?y=1&z=2 and https://links.example",
    "HTTP://LINKS.EXAMPLE (http://links.example)",
    "www.links.example, WWW.LINKS.EXAMPLE, _www.links.example_",
    "a.b+c@mail.example mailto:a@mail.example xmpp:a@mail.example/x",
    "_a@mail.example_ x_a@mail-server.example",
    '<img src="http://pictures.example/b.png" onerror="alert(1)"><script>alert(1)</script>',
    "<!-- a comment --> <b>bold</b> </div>",
    "&lt;b&gt; &copy; &#x41; R&D",
    "$x^2$ $$y_1$$ costs $5 and $6 \\(z\\) \\[z\\]",
    ":red[red] :blue-background[blue] :small[small] :green-badge[badge] :rainbow[all]",
    ':color[a]{foreground="#ff0000"} ::name[x]{y=z}',
    ":::note",
    ":material/home: :material/bolt: :streamlit: :shortcode",
    ":smile: :+1: :a:smile: 12:30:15 :smile::tada:",
    ":SMILE: :Material/home:",
    "# heading",
    "###### heading ######",
    "- a list",
    "+ a list",
    "* a list",
    "1. a list",
    "23) a list",
    "- [ ] a task",
    "> a quote",
    "===",
    "---",
    "***",
    "| a | b |",
    ":-: | -:",
    "`code` ``code`` ```code```",
    "~~~ fence ~struck~ ~~struck~~",
    "*a* **b** ***c*** _a_ __b__ ___c___ a __b_ _c_d_ 2*3*4",
    "a_b__c_d.png",
    "a -> b <- c <-> d -- e >= f <= g ~= h",
    "->",
    "a\\",
    "\\*a\\* \\# C:\\Users\\new",
    "{a} {{b}} %c% ${d} '];alert(1)//",
    "datum.x a.b[0] javascript:alert(1) data:text/html,x",
    "Äpfel 猫 кошка 👍 é",
    "שלום مرحبا",
)

SCRIPT = """
import json
from pathlib import Path

import streamlit as st

from maskrcnn.studio.shell.markdown_escape import plain
from tests.sweeps import sweep

for number, words in enumerate(json.loads(Path(__file__).with_suffix(".json").read_text())):
    text = plain(words)
    with st.container(key=f"text-{number}"):
        st.markdown(text)
    with st.container(key=f"bold-{number}"):
        st.markdown(f"**{text}**")
    with st.container(key=f"second-{number}"):
        st.markdown(f"before  \\n{text}  \\nafter")
    with st.container(key=f"header-{number}"):
        st.subheader(text, anchor=False)
    with st.container(key=f"box-{number}"):
        st.info(text)
    with st.container(key=f"label-{number}"):
        st.checkbox(text, key=f"checkbox-{number}")
    with st.container(key=f"button-{number}"):
        st.button(text, key=f"pressed-{number}")
    with st.container(key=f"option-{number}"):
        st.radio("options", [number], format_func=lambda _, text=text: text, key=f"radio-{number}")
    with st.container(key=f"small-{number}"):
        st.markdown(f":small[{text}]")
    with st.container(key=f"red-{number}"):
        st.markdown(f":red[*{text}*]")
    with st.container(key=f"bar-{number}"):
        st.progress(0.5, text=text)
st.text("all is drawn")
"""

PLACES = ("text", "bold", "second", "header", "box", "label", "button", "option", "small", "red", "bar")

MADE_OF_IT = {
    *("a[href]", "img", ".katex", "[data-testid=stIconMaterial]", ".stMarkdownBadge", "[style]"),
    *("em", "strong", "del", "code", "table", "ul", "ol", "h1", "blockquote", "hr", "sup", "small"),
}
"""What Markdown makes of such words, as CSS selectors."""

OURS = {"bold": {"strong"}, "red": {"em", "[style]"}, "small": {"small", "[style]"}}
"""What a place has of itself."""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with one page that shows each of `WORDS` in each of `PLACES`."""
    folder = tmp_path_factory.mktemp("words")
    (folder / "words.json").write_text(json.dumps(WORDS))
    (folder / "words.py").write_text(SCRIPT)
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from streamlit.web.cli import main; main()"
    running = start_server(folder / "workspace", python=("-c", program, "run", str(folder / "words.py")))
    yield running
    running.interrupt()


@sweep
def test_words_are_drawn_as_they_were_written(drawn: Server, page: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(drawn.url)
    page.get_by_text("all is drawn").wait_for(timeout=60_000)
    page.wait_for_timeout(1500)  # emoji and formulas are loaded when a page first seems to need them
    wrong = []
    for number, words in enumerate(WORDS):
        for place in PLACES:
            # The box and the radio button have an icon and a label of their own.
            found = page.evaluate(
                """([place, number, made]) => {
                    const box = document.querySelector(`.st-key-${place}-${number}`);
                    const parts = box.querySelectorAll(place === "option"
                        ? "[role=radiogroup] [data-testid=stMarkdownContainer]" : "[data-testid=stMarkdownContainer]");
                    const own = [...parts].at(-1);
                    const odd = own.querySelectorAll(made);
                    return [own.innerText, [...odd].map((element) => element.outerHTML)];
                }""",
                [place, number, ", ".join(sorted(MADE_OF_IT - OURS.get(place, set())))],
            )
            text = found[0].replace(WORD_JOINER, "").strip()
            expected = f"before\n{words}\nafter" if place == "second" else words
            if text != expected or found[1]:
                wrong.append((place, words, text, found[1]))
    assert not wrong, "\n".join(map(str, wrong))
    assert not [url for url in asked if not url.startswith((drawn.url, "data:", "blob:"))]


def test_a_very_long_text_is_cut() -> None:
    assert len(plain("a" * 100_000)) == 1000
    assert plain("a" * 100_000).endswith("a…")
