// Keys of a page that its pictures answer in the browser, without a script run.

import { namesOf, takesText } from "./hotkeys.js";

/** Call the function that `actions` has for the name of a pressed key, until `signal` is aborted. */
export function listenToKeys(actions, signal) {
  const press = (event) => {
    if (event.repeat || event.isComposing || typeof event.key !== "string") return;
    const name = namesOf(event).find((key) => Object.hasOwn(actions, key));
    if (!name || takesText(event.composedPath()[0])) return;
    if (document.querySelector('[role="dialog"][aria-modal="true"], [data-testid="stDialog"]')) return;
    event.preventDefault();
    actions[name]();
  };
  window.addEventListener("keydown", press, { capture: true, signal });
}
