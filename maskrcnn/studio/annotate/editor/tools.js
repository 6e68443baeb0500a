/* The tools that draw and edit regions by hand, in the order of the tool bar. */

import { KeypointTool } from "./keypoint_tool.js";
import { LineTool, PolygonTool } from "./polygon_tool.js";
import { SelectTool } from "./select_tool.js";
import { CircleTool, EllipseTool, PointTool, RectTool } from "./shape_tools.js";

/**
 * Tool classes. Each has `static name, label, icon, key`, a constructor of the editor, `start()`, `stop()`, the pointer
 * handlers of `view.tool`, `key(event)` (true: handled), `paint(context, view)`, and `draft()` / `restore(draft)`. It
 * may have `left()`, called after `stop()` when another tool is chosen.
 */
export const TOOLS = [
  SelectTool, PolygonTool, RectTool, CircleTool, EllipseTool, LineTool, PointTool, KeypointTool,
];
