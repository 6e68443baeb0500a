/* The tools that draw and edit regions by hand, in the order of the tool bar. */

import { LineTool, PolygonTool } from "./polygon_tool.js";
import { SelectTool } from "./select_tool.js";

/**
 * Tool classes. Each has `static name, label, icon, key`, a constructor of the editor, `start()`, `stop()`, the pointer
 * handlers of `view.tool`, `key(event)` (true: handled), `paint(context, view)`, and `draft()` / `restore(draft)`.
 */
export const TOOLS = [SelectTool, PolygonTool, LineTool];
