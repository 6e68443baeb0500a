"""Which picture the editor shows, with a page that answers late: steps, back, forward and reloads in any order.

`shown_picture.js` runs in the browser with a small model of Streamlit beside it: messages with the URL and the state of
the component, script runs one after the other, and URLs that the page writes into the history. A reload is a new
session, which knows the URL only; what was on its way is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.studio.annotate import editor
from maskrcnn.studio.serving import browser_code
from tests.browser.editor_driver import VIEW, EditorDriver
from tests.sweeps import FUZZ, sweep, wider

MODULE = Path(editor.__file__).parent / "editor" / "frame" / "shown_picture.js"

MODEL = """async ([module, seed, steps]) => {
  const { ShownPicture } = await import(module);
  let state = seed + 1;
  const chance = (most) => (state = (state * 48271) % 2147483647) % most;
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const names = ["a", "b", "c", "d", "e"];
  const pictures = names.map((name, id) => ({ id, name }));
  sessionStorage.clear();
  history.replaceState({ depth: 0 }, "", "?image=a");

  // Python: the session, as picture_navigation.py and editor.py have it.
  const newSession = (here) => ({ here, serial: null, left: new Set(), value: null });
  let python = newSession("a");
  const goTo = (name) => {
    python.left.add(python.here);
    python.left.delete(name);
    python.here = name;
  };
  const pushed = []; // URLs that the page writes, on their way to the browser
  let runs = Promise.resolve(), open = 0;
  const send = () => {
    const url = new URLSearchParams(location.search).get("image"), value = python.value, session = python;
    open += 1;
    runs = runs.then(async () => {
      await wait(chance(60));
      if (session !== python) { open -= 1; return; }
      let query = url;
      const write = (name) => { if (query !== name) { query = name; pushed.push(name); } };
      if (value && value.serial !== python.serial) {
        python.serial = value.serial;
        python.left.add(query);
        goTo(value.name);
        write(value.name);
      }
      if (!python.left.has(query)) goTo(query);
      const data = { image: python.here, serial: python.serial };
      await wait(chance(60));
      if (session !== python) { open -= 1; return; }
      const late = chance(2) * chance(400);
      for (const name of pushed.splice(0)) setTimeout(() => {
        if (session === python) history.pushState({ depth: history.state.depth + 1 }, "", `?image=${name}`);
      }, late);
      shown.take(data);
      open -= 1;
    });
  };

  // The editor: pictures load in no time or late.
  const documents = new Map();
  const editor = {
    project: "p", pictures, entry: null, strip: { setCurrent() {} }, keys: { runWaiting() {}, forgetWaiting() {} },
    pictureList: {
      places: new Map(pictures.map(({ id }) => [id, id])),
      named: (name) => pictures.find((entry) => entry.name === name) ?? null,
    },
    busy() {}, say() {},
    opened: {
      peek: (entry) => documents.get(entry.id) ?? null, ahead() {},
      get: async (entry) => { await wait(chance(80)); documents.set(entry.id, {}); return {}; },
    },
    shownDocument: { enter: (entry) => { editor.entry = entry; }, leave() {} },
  };
  let shown;
  const load = () => {
    python = newSession(new URLSearchParams(location.search).get("image"));
    pushed.splice(0);
    documents.clear();
    editor.entry = null;
    shown = new ShownPicture(editor);
    shown.tell = (value) => { python.value = value; send(); };
    shown.take({ image: python.here, serial: null });
    shown.start();
  };
  window.addEventListener("popstate", send); // Streamlit's own listener
  load();

  let wanted = "a";
  const done = [];
  for (let step = 0; step < steps; step += 1) {
    const kind = chance(12);
    if (kind < 5) {
      wanted = names[chance(names.length)];
      shown.show(editor.pictureList.named(wanted), true);
    } else if (kind < 8) {
      const moved = new Promise((resolve) => {
        const hear = () => resolve(new URLSearchParams(location.search).get("image"));
        window.addEventListener("popstate", hear, { once: true, capture: true });
        setTimeout(() => { window.removeEventListener("popstate", hear, true); resolve(null); }, 400);
      });
      if (kind === 7) history.forward();
      else if (history.state.depth > 0) history.back();
      wanted = (await moved) ?? wanted;
    } else if (kind < 10) {
      send(); // a run for another reason
    } else {
      const gone = shown;
      clearTimeout(gone.timer);
      clearTimeout(gone.urlTimer);
      gone.tell = () => {};
      gone.turn = -1; // what it waits for never comes
      window.removeEventListener("popstate", gone.onHistory, true);
      load();
    }
    const kinds = ["step", "step", "step", "step", "step", "back", "back", "forward", "run", "run", "reload", "reload"];
    done.push(`${kinds[kind]} ${wanted}`);
    await wait(chance(4) ? chance(40) : chance(500));
  }
  for (let quiet = 0; quiet < 10; quiet = open || shown.timer ? 0 : quiet + 1) await wait(60);
  shown.destroy();
  window.removeEventListener("popstate", send);
  const url = new URLSearchParams(location.search).get("image");
  return { wanted, shown: editor.entry?.name, python: python.here, url, done };
}"""


@wider
@pytest.mark.parametrize("seed", range(40) if FUZZ else (0, 22))
def test_the_last_step_of_the_person_is_shown_and_in_the_url(page: Any, server: Any, seed: int) -> None:
    page.goto(f"{server.url}/_stcore/health")
    found = page.evaluate(MODEL, [f"{server.url}{browser_code.module_url(MODULE)}", seed, 12])
    assert (found["shown"], found["python"], found["url"]) == (found["wanted"],) * 3, found["done"]


@pytest.mark.parametrize("is_confirmed", [pytest.param(True, marks=sweep), False], ids=["confirmed", "not confirmed"])
def test_a_link_from_another_page_leads_to_a_picture_that_was_left_before(
    new_editor: Callable[..., EditorDriver], kept_if_failed: Callable[[Any], None], is_confirmed: bool
) -> None:
    """During a visit of the page the URL of a picture that was left is old; a new visit follows it.

    Also where the click came before Python's answer to the last step: the step, which the browser keeps for a reload,
    is older than the link. The picture is clicked as soon as it is there, while the script of Dataset may still run.
    """
    editor = new_editor(pictures=2)
    page = editor.page
    kept_if_failed(page.context)
    editor.turn_to("p001.jpg")
    kept = page.evaluate("sessionStorage.getItem('maskrcnn-shown')")
    assert '"p001.jpg"' in kept
    page.wait_for_url("**image=p001.jpg*")
    page.get_by_role("link", name="Dataset").first.click()
    page.wait_for_url("**/dataset?**")
    page.locator(VIEW).first.wait_for(state="detached")
    page.evaluate(
        "kept => kept ? sessionStorage.setItem('maskrcnn-shown', kept) : sessionStorage.removeItem('maskrcnn-shown')",
        None if is_confirmed else kept,
    )
    page.get_by_role("button", name="p000.jpg").first.click()
    editor.wait_for_picture("p000.jpg")
    page.wait_for_url("**image=p000.jpg*")
    page.evaluate("document.activeElement?.blur()")
    page.keyboard.press("r")
    page.wait_for_timeout(300)
    assert editor.shown == "p000.jpg"
    page.reload()
    editor.wait_for_picture("p000.jpg")


def test_steps_right_after_a_click_on_a_link_do_not_stop_it_and_are_kept(
    new_editor: Callable[..., EditorDriver],
    kept_if_failed: Callable[[Any], None],
    settled: Callable[[Any], None],
) -> None:
    """A message of the editor that comes after the click would make Streamlit forget the link.

    What the server says to the page is held back until the steps are done, as on a slow connection.
    """
    editor = new_editor(pictures=3)
    page = editor.page
    kept_if_failed(page.context)
    held: list[tuple[Any, Any]] = []
    is_slow = False

    def connect(socket: Any) -> None:
        server = socket.connect_to_server()
        socket.on_message(server.send)
        server.on_message(lambda message: held.append((socket, message)) if is_slow else socket.send(message))

    page.route_web_socket("**/_stcore/stream", connect)
    editor.open("p000.jpg")
    is_slow = True
    page.get_by_role("link", name="Runs").click()
    editor.press("PageDown", "PageDown")
    editor.wait_for_picture("p002.jpg")
    page.wait_for_timeout(500)  # the second step is told 300 ms after the first
    is_slow = False
    for socket, message in held:
        socket.send(message)
    page.locator(VIEW).first.wait_for(state="detached")
    settled(page)
    assert "/runs?" in page.url
    page.get_by_role("link", name="Annotate").click()
    editor.wait_for_picture("p002.jpg")
