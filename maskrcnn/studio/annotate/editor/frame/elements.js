// Small functions that make the elements of the editor's panels. Text from data becomes text nodes, never markup.

/**
 * Make an element.
 *
 * `attributes` maps names to values: a function becomes a listener (`onclick`), `true` an attribute without value;
 * null, undefined and false are left out. Children are nodes or texts; null and false are left out.
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.replace(/^on/, ""), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(
      name, value === true ? "" : value,
    );
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Make an icon by its name in Material Symbols. It is not read aloud; its button has a label. */
export function icon(name) {
  return element("span", { class: "icon", "aria-hidden": "true", translate: "no" }, name);
}

/** Make a button with an icon, or with `letters` instead. The label is its ARIA name and, with the key, its tooltip. */
export function iconButton({ name, label, key = "", words = "", letters = "", ...attributes }) {
  const title = `${words || label}${key ? ` (${key})` : ""}`;
  const sign = letters ? element("span", { class: "letters", "aria-hidden": "true" }, letters) : icon(name);
  return element("button", { type: "button", class: "icon-button", "aria-label": label, title, ...attributes }, sign);
}

/** A number with its noun, such as "1 picture" or "2 pictures". */
export function counted(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** The time of day as 12:04:31. */
export function timeOfDay(date) {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

/** Give a button of `iconButton` another icon. */
export function setIcon(button, name) {
  button.querySelector(".icon").textContent = name;
}
