// What a person chose on the Predictions page, kept in the session storage of the tab.

import { BOTH } from "./drawing_bar.js";

const STORED = "maskrcnn-predictions"; // key in the session storage

export const DEFAULTS = {
  view: BOTH, score: 0.5, iou: 0.5, colour: "match",
  masks: true, boxes: true, keypoints: true, labels: true, fill: true,
  showStory: false, showInstances: false, showAp: false,
};

/** The choices that this tab stored; without those of other types and names than `DEFAULTS` has. */
export function restored() {
  try {
    const found = JSON.parse(sessionStorage.getItem(STORED) ?? "{}");
    return Object.fromEntries(Object.entries(found).filter(([name, value]) => typeof value === typeof DEFAULTS[name]));
  } catch {
    return {};
  }
}

/** Store the choices. */
export function store(choices) {
  try {
    sessionStorage.setItem(STORED, JSON.stringify(choices));
  } catch {
    // without storage, the choices last until the page is left
  }
}
