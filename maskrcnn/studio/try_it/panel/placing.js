// Where picture and controls of the Try it page go: beside each other, or below each other in a narrow window.

import { isFullScreen } from "../../components/picture/view_buttons.js";
import { arrangement, heightBelow } from "../../inspect/arrangement.js";

const NARROW = 44; // em: in less, the controls are below the picture
const USEFUL = 30; // em: controls beside a low picture are at least this high, if the window is

/**
 * Place `stage` and `panelHolder` in `root`. `aspect` is width / height of the usual picture, so that nothing moves
 * when another one is chosen. `kept` CSS px stay free below.
 */
export function arrangeParts({ root, stage, panelHolder }, { aspect, kept, hasPanel }) {
  const fills = isFullScreen(root), em = parseFloat(getComputedStyle(root).fontSize);
  const width = root.clientWidth, isNarrow = width < NARROW * em;
  root.dataset.layout = !hasPanel ? "alone" : isNarrow ? "below" : "beside";
  const beside = hasPanel && !isNarrow ? panelHolder.offsetWidth + parseFloat(getComputedStyle(root).columnGap) : 0;
  const free = heightBelow(root, stage) - (fills ? 0 : kept);
  const isFilled = fills && !(hasPanel && isNarrow);
  const { height } = arrangement(width - beside, free, aspect, 1, 0, isFilled);
  const least = beside ? Math.min(free, USEFUL * em) : 0;
  root.style.setProperty("--height", `${Math.round(Math.max(height, least))}px`);
}
