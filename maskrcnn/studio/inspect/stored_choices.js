// What a person chose on a page, kept in the session storage of the tab.

/** The choices stored under `key`; without those of other types and names than `defaults` has. */
export function restored(key, defaults) {
  try {
    const found = JSON.parse(sessionStorage.getItem(key) ?? "{}");
    return Object.fromEntries(Object.entries(found).filter(([name, value]) => typeof value === typeof defaults[name]));
  } catch {
    return {};
  }
}

/** Store the choices. */
export function store(key, choices) {
  try {
    sessionStorage.setItem(key, JSON.stringify(choices));
  } catch {
    // without storage, the choices last until the page is left
  }
}
