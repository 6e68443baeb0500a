// What to do with each tool, in one line below the picture.

/** Name of a tool -> hint. A tool with a `static hint` has its own. */
export const TOOL_HINTS = {
  select: "Click a region; drag it, its vertices or its edges. Drag on the ground selects all in a frame.",
  polygon: "Click adds a vertex, a drag draws freehand. Enter, double click or the first vertex closes.",
  rect: "Drag a box around an object.",
  circle: "Drag from the centre of a circle to its edge.",
  ellipse: "Drag the frame of an ellipse; its handles turn it.",
  polyline: "Click adds a vertex, a drag draws freehand. Enter or double click ends; Backspace takes back.",
  point: "Click sets a point.",
  keypoints: "Click the keypoints one after the other; V changes visibility, Tab leaves one out.",
  brush: "Paint on the selected region, or a new one.",
  eraser: "Erase parts of the selected region.",
  hint: "Drag a box around an object: it becomes an outline.",
  cut: "Draw a line across the selected region to cut it in two.",
};
