// How a component of the studio is put into its place, once, and taken away again.

/**
 * The function that Streamlit calls for a component of class `Kind`: with the first call and whenever its data changes.
 *
 * `new Kind(parentElement, component)` puts it into its place, `update(component, isFirst)` takes over the data of a
 * script run, and `destroy()` takes it away.
 */
export function mountedOnce(Kind) {
  const mounted = new WeakMap(); // parent element -> {one, calls}
  return (component) => {
    const { parentElement } = component;
    if (!mounted.has(parentElement)) mounted.set(parentElement, { one: new Kind(parentElement, component), calls: 0 });
    const entry = mounted.get(parentElement);
    entry.one.update(component, entry.calls === 0);
    const call = ++entry.calls;
    return () => {
      if (entry.calls !== call) return; // a later call uses it
      mounted.delete(parentElement);
      entry.one.destroy();
    };
  };
}

/** Links to style sheets, by their full addresses; `whenLoaded` is called after each. */
export function sheetLinks(addresses, whenLoaded) {
  return addresses.map((href) => {
    const link = document.createElement("link");
    return Object.assign(link, { rel: "stylesheet", href, onload: whenLoaded });
  });
}
