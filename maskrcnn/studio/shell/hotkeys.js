// Listens for the keys of a page on the whole window and reports the action of each press to Python.
//
// `data.bindings` maps a key ("ArrowRight", "d", "ctrl+z") to an action, `data.held` lists the actions that a held key
// repeats, and `data.done` is the serial number of the last press that Python has carried out. One press travels at a
// time: the next one leaves when the page has been drawn, so that each finds the page as its person sees it. (Controls
// that are not drawn yet would send their old values with it.)

const MOST_WAITING = 4; // further presses are dropped: nobody wants the page to run on by itself
const PATIENCE = 10000; // milliseconds after which a press counts as carried out although no answer came
const LATER = 40; // milliseconds between two looks whether the page has been drawn
const NO_TEXT = ["button", "checkbox", "color", "file", "image", "radio", "range", "reset", "submit", "hidden"];
const NAVIGATION = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"];
const USES_NAVIGATION =
  "[role=slider], [role=radiogroup], [role=radio], [role=tab], [role=combobox], [role=listbox], [role=option], " +
  "[role=menuitem], [role=menuitemradio], [role=spinbutton], [role=grid], [role=gridcell], select, " +
  "input[type=range], input[type=radio], canvas[data-testid=data-grid-canvas]";

const states = new WeakMap(); // what outlives a new call with new data, for each place on the page

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
  const written = event.getModifierState?.("AltGraph"); // it reads as Ctrl + Alt, but only helps to write a character
  if (event.altKey && !written) return [];
  const control = (event.ctrlKey || event.metaKey) && !written ? "ctrl+" : "";
  const { key, code = "" } = event;
  if (key.length > 1) return event.shiftKey ? [] : [control + key];
  const shift = event.shiftKey && (control || /^[a-z]$/i.test(key)) ? "shift+" : "";
  const found = [control + shift + key.toLowerCase()];
  // Digits of a French row, letters of a Greek or Russian keyboard: by the place of the key.
  if (!event.shiftKey && /^Digit\d$/.test(code)) found.push(control + code.slice(5));
  if (key > "\u007f" && /^Key[A-Z]$/.test(code)) found.push(control + shift + code.slice(3).toLowerCase());
  return found;
}

const isOpen = (element) => element.isConnected && element.getClientRects().length > 0;

export default function ({ parentElement, data, setStateValue }) {
  const state = states.get(parentElement) ?? { waiting: [], sent: null, since: 0, count: 0, timer: 0, byTab: false };
  states.set(parentElement, state);
  state.stop?.(); // called again with new data: the listeners of the call before go
  const { bindings, held, done } = data;

  const isDrawing = () => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "running";
  const isBusy = () => (state.sent !== null || isDrawing()) && Date.now() - state.since < PATIENCE;

  const send = () => {
    clearTimeout(state.timer);
    if (state.waiting.length === 0) return;
    if (isBusy()) { state.timer = setTimeout(send, LATER); return; }
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
    // Who walks through the page by Tab works its sliders and lists with the arrows.
    if (state.byTab && NAVIGATION.includes(name) && element.closest?.(USES_NAVIGATION)) return;
    if ([...document.querySelectorAll('[role="dialog"][aria-modal="true"], [data-testid="stDialog"]')].some(isOpen)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const action = bindings[name];
    if (event.repeat && (!held.includes(action) || state.waiting.length > 0 || isBusy())) return;
    if (state.waiting.length < MOST_WAITING) state.waiting.push(action);
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
