// The editor on its page: its elements, the height that the window has for it, full screen, focus and dialogs.

import { takesText } from "../../../shell/hotkeys.js";
import { element } from "./elements.js";

const LEAST_HEIGHT = 420; // CSS px
const BELOW = 10; // CSS px that stay free below the page

/** The elements of one editor: `root`, in it `stage` with `container` for the picture, and `panel` with the lists. */
export class Layout {
  constructor(editor) {
    this.editor = editor;
    this.root = element("div", { class: "editor unstyled" });
    this.container = element("div", { class: "view" });
    this.stage = element("div", { class: "stage" }, this.container);
    this.panel = element("aside", { class: "panel", "aria-label": "Classes and regions" });
  }

  /** Put the editor's parts and its style sheet into the element that Streamlit gave. */
  fill(parentElement) {
    const { editor, root, panel } = this;
    const sheet = element("link", { rel: "stylesheet", href: new URL("../editor.css", import.meta.url).href });
    sheet.addEventListener("load", () => { root.classList.remove("unstyled"); this.fitHeight(); });
    sheet.addEventListener("error", () => root.classList.remove("unstyled"));
    panel.append(editor.classList.element, editor.regionList.element, editor.attributeForm.element);
    root.append(
      editor.toolBar.element, this.stage, panel, editor.status.element, editor.strip.element, editor.keySheet.element,
      editor.conflictView.element,
    );
    parentElement.querySelector("div")?.replaceChildren(sheet, root);
    // A click on a button leaves the focus where it is, so that arrows and Space go on acting on the picture.
    root.addEventListener("mousedown", (event) => {
      if (event.target.closest("input, select, textarea, dialog, .picture-surface")) return;
      event.preventDefault();
      this.endTyping();
    });
    this.followHeight();
  }

  followHeight() {
    const { signal } = this.editor.stopped;
    window.addEventListener("resize", () => this.fitHeight(), { signal });
    document.addEventListener("fullscreenchange", () => this.fitHeight(), { signal });
    this.heights = new ResizeObserver(() => this.fitHeight());
    this.heights.observe(document.body);
    const main = this.host.closest?.('[data-testid="stMainBlockContainer"]');
    if (main) this.heights.observe(main);
    this.fitHeight();
  }

  get host() {
    const root = this.root.getRootNode();
    return root.host ?? this.root;
  }

  /** Whether the editor is in the page and visible. */
  get isOnPage() {
    return this.root.isConnected && this.root.getClientRects().length > 0;
  }

  /** Whether a dialog of the editor or of Streamlit is open: then keys are its own. */
  get hasDialog() {
    if (this.root.querySelector("dialog[open]")) return true;
    const open = (found) => found.isConnected && found.getClientRects().length > 0;
    return [...document.querySelectorAll('[role="dialog"][aria-modal="true"], [data-testid="stDialog"]')].some(open);
  }

  /** Give the editor the height that the window has below it, less what stands below the editor on the page. */
  fitHeight() {
    if (!this.root.isConnected || document.fullscreenElement) return;
    const scroller = document.querySelector('[data-testid="stMain"]');
    const top = this.root.getBoundingClientRect().top + (scroller?.scrollTop ?? 0);
    const below = document.querySelector(".st-key-annotate_below");
    const rest = (below ? below.getBoundingClientRect().height : 0) + BELOW;
    const height = Math.max(LEAST_HEIGHT, Math.floor(window.innerHeight - top - rest));
    if (height === this.height) return;
    this.height = height;
    this.root.style.setProperty("--editor-height", `${height}px`);
  }

  /** Take the focus from a text that is being typed, so that it is saved. */
  endTyping() {
    const active = this.root.getRootNode().activeElement;
    if (active && takesText(active)) active.blur();
  }

  async toggleFullScreen() {
    try {
      if (document.fullscreenElement) {
        await document.exitFullscreen();
      } else {
        await this.root.requestFullscreen();
        await navigator.keyboard?.lock?.(["Escape"]); // Esc cancels an outline; held down, it leaves full screen
      }
    } catch {
      this.editor.say("The browser does not allow full screen here.", "problem");
    }
  }

  togglePanels() {
    this.root.classList.toggle("without-panels");
    this.editor.emit("state");
  }

  destroy() {
    this.heights.disconnect();
    this.root.remove();
  }
}
