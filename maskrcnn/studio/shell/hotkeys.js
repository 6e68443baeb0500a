// Listens for the keys of a page on the whole window and reports the action of each press to Python.
//
// `data.bindings` maps a key ("ArrowRight", "d", "ctrl+z") to an action, `data.held` lists the actions that a held key
// repeats, and `data.done` is the serial number of the last press that Python has handled. Presses are sent one at a
// time: the next one is sent after the page has been drawn, so that it acts on the page that the user sees. (Controls
// that are not drawn yet would send their old values with it.)

const MAX_QUEUED = 4; // further presses are dropped, so that the page does not go on after the key is released
const TIMEOUT = 10000; // milliseconds after which a press counts as handled even without an answer
const POLL = 40; // milliseconds between two checks whether the page has been drawn
const NO_TEXT = ["button", "checkbox", "color", "file", "image", "radio", "range", "reset", "submit", "hidden"];
const NAVIGATION = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"];
const USES_NAVIGATION =
  "[role=slider], [role=radiogroup], [role=radio], [role=tab], [role=combobox], [role=listbox], [role=option], " +
  "[role=menuitem], [role=menuitemradio], [role=spinbutton], [role=grid], [role=gridcell], select, " +
  "input[type=range], input[type=radio], canvas[data-testid=data-grid-canvas]";

const MOVES_BY_ARROWS = "[data-moves-by-arrows]"; // what the arrow keys move while it has the focus

const states = new WeakMap(); // state that is kept when Streamlit calls the component again, for each parent element

/** Whether a key pressed with this element in focus becomes part of a text. */
export function takesText(element) {
  if (!element?.matches) return false;
  if (element.isContentEditable) return true;
  if (!element.matches("input, textarea") || element.readOnly || element.disabled) return false;
  if (element.matches("textarea")) return true;
  if (NO_TEXT.includes(element.type)) return false;
  // A select box is an input that filters its list. While the list is closed, nothing is being typed.
  if (element.matches("[role=combobox]")) return element.getAttribute("aria-expanded") === "true";
  return true;
}

/** The names under which the key of an event may be bound, best first. */
export function namesOf(event) {
  // AltGraph is reported as Ctrl + Alt, but it is only used to type characters.
  const written = event.getModifierState?.("AltGraph");
  if (event.altKey && !written) return [];
  const control = (event.ctrlKey || event.metaKey) && !written ? "ctrl+" : "";
  const { key, code = "" } = event;
  if (key.length > 1) return event.shiftKey ? [] : [control + key];
  const shift = event.shiftKey && (control || /^[a-z]$/i.test(key)) ? "shift+" : "";
  const found = [control + shift + key.toLowerCase()];
  // On a French keyboard (digits) and a Greek or Russian one (letters), the position of the key is used.
  if (!event.shiftKey && /^Digit\d$/.test(code)) found.push(control + code.slice(5));
  if (key > "\u007f" && /^Key[A-Z]$/.test(code)) found.push(control + shift + code.slice(3).toLowerCase());
  return found;
}

const isOpen = (element) => element.isConnected && element.getClientRects().length > 0;

export default function ({ parentElement, data, setStateValue }) {
  const state = states.get(parentElement) ?? { waiting: [], sent: null, since: 0, count: 0, timer: 0, byTab: false };
  states.set(parentElement, state);
  state.stop?.(); // called again with new data: remove the listeners of the previous call
  const { bindings, held, done } = data;

  const isDrawing = () => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "running";
  const isBusy = () => (state.sent !== null || isDrawing()) && Date.now() - state.since < TIMEOUT;

  const send = () => {
    clearTimeout(state.timer);
    if (state.waiting.length === 0) return;
    if (isBusy()) { state.timer = setTimeout(send, POLL); return; }
    const action = state.waiting.shift();
    state.sent = `${performance.timeOrigin}-${performance.now()}-${++state.count}`;
    state.since = Date.now();
    setStateValue("pressed", { serial: state.sent, action });
  };

  const onKey = (event) => {
    if (event.key === "Tab") state.byTab = true;
    if (event.isComposing || typeof event.key !== "string") return;
    const name = namesOf(event).find((candidate) => Object.hasOwn(bindings, candidate));
    if (name === undefined) return;
    const element = event.composedPath()[0];
    if (takesText(element)) return;
    // A user who moves through the page with Tab uses the arrow keys for sliders and lists.
    const usesNavigation = state.byTab ? `${MOVES_BY_ARROWS}, ${USES_NAVIGATION}` : MOVES_BY_ARROWS;
    if (NAVIGATION.includes(name) && element.closest?.(usesNavigation)) return;
    const dialogs = document.querySelectorAll('[role="dialog"][aria-modal="true"], [data-testid="stDialog"]');
    if ([...dialogs].some(isOpen)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const action = bindings[name];
    if (event.repeat && (!held.includes(action) || state.waiting.length > 0 || isBusy())) return;
    if (state.waiting.length < MAX_QUEUED) state.waiting.push(action);
    send();
  };
  const onPointer = () => { state.byTab = false; };

  window.addEventListener("keydown", onKey, true);
  window.addEventListener("pointerdown", onPointer, true);
  const stop = () => {
    clearTimeout(state.timer);
    window.removeEventListener("keydown", onKey, true);
    window.removeEventListener("pointerdown", onPointer, true);
  };
  state.stop = stop;
  if (state.sent !== null && done === state.sent) state.sent = null;
  send();
  return stop;
}
