// Adds the tools, modes and operations on outlines to an editor: brush, eraser, cut, merge, snapping, shared borders.

import { BorderFollowing } from "./border_following.js";
import { BrushTool, EraserTool } from "./brush_tool.js";
import { CutTool } from "./cut_tool.js";
import { makeHole, merge, repair, selectedAreas, subtract } from "./operations.js";
import { SharedBorders } from "./shared_borders.js";
import { SimplifyPanel } from "./simplify_panel.js";
import { Snapper } from "./snapping.js";

/** Add everything to an editor. Call it before the editor listens to keys, so that the panel gets its own first. */
export function addGeometry(editor) {
  editor.snapper = new Snapper(editor);
  editor.sharedBorders = new SharedBorders(editor);
  const following = new BorderFollowing(editor);
  const panel = new SimplifyPanel(editor);
  for (const Tool of [BrushTool, EraserTool, CutTool]) editor.addTool(Tool);

  const hasTwo = () => Boolean(editor.doc) && selectedAreas(editor).length > 1;
  const hasOne = () => Boolean(editor.doc) && selectedAreas(editor).length > 0;
  const shapes = [
    {
      name: "merge", label: "Merge", icon: "join_full", key: "m", isEnabled: hasTwo, run: merge,
      words: "Merge the selected regions",
    },
    {
      name: "subtract", label: "Subtract", icon: "join_left", key: "u", isEnabled: hasTwo, run: subtract,
      words: "Take the other selected regions from the one that was selected first",
    },
    {
      name: "hole", label: "Make a hole", icon: "join_inner", key: "i", isEnabled: hasTwo, run: makeHole,
      words: "Make the smaller selected regions holes in the largest one",
    },
    {
      name: "simplify", label: "Simplify", icon: "linear_scale", key: "shift+s", isEnabled: hasOne,
      isOn: () => panel.isOpen,
      words: "Fewer vertices, by a slider", run: () => (panel.isOpen ? panel.close() : panel.open()),
    },
    {
      name: "repair", label: "Repair", icon: "healing", isEnabled: hasOne, run: repair,
      words: "Draw outlines that cross themselves anew",
    },
  ];
  for (const action of shapes) editor.addAction({ group: "shapes", ...action });
  addMode(editor, editor.snapper, {
    name: "snap", label: "Snap", icon: "my_location", key: "s", words: "Snap to vertices and edges of other regions",
    said: "Snapping to vertices and edges of other regions; Alt holds it off",
  });
  addMode(editor, editor.sharedBorders, {
    name: "shared_borders", label: "Shared borders", icon: "link", key: "y",
    words: "Vertices that regions share move together", said: "Vertices that regions share move together",
  });
  editor.addAction({
    name: "border_other_way", label: "Other way round", key: "shift+Tab", group: "modes",
    words: "With Shift held while drawing along a border: the other way round", run: () => following.turn(),
    when: () => following.isHeld && following.isDrawing,
  });
}

function addMode(editor, mode, { said, ...action }) {
  editor.addAction({
    group: "modes", ...action, isOn: () => mode.on,
    run: () => {
      mode.on = !mode.on;
      editor.say(mode.on ? said : `${action.label}: off`);
      editor.emit("state");
      editor.view.redrawOverlay();
    },
  });
}
