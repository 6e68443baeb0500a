// Loads the objects and detections of a picture from the studio.

export const NOT_LOADED = "The objects could not be loaded from the studio. Reload the page.";

/** The JSON at an address; null if it cannot be loaded, undefined if `signal` was aborted meanwhile. */
export async function loadTable(address, signal) {
  try {
    const answer = await fetch(new URL(address, document.baseURI), { signal });
    if (!answer.ok) throw new Error(await answer.text());
    const table = await answer.json();
    return signal.aborted ? undefined : table;
  } catch (error) {
    if (signal.aborted) return undefined;
    console.error(error);
    return null;
  }
}
