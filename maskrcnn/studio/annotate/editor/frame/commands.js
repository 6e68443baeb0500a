// The commands of the tool bar that are no tools: undo, views, panels, keys. Their keys are in the table of keys.js.

import { setIcon } from "./elements.js";

const COMMANDS = [
  {
    name: "undo", label: "Undo", icon: "undo", group: "history", isEnabled: (editor) => editor.doc?.canUndo,
    run: (editor) => editor.undo(),
  },
  {
    name: "redo", label: "Redo", icon: "redo", group: "history", isEnabled: (editor) => editor.doc?.canRedo,
    run: (editor) => editor.redo(),
  },
  {
    name: "labels", label: "Class names", icon: "label", group: "view", isOn: ({ view }) => view.display.labels,
    run: (editor) => editor.toggleLayer("labels"),
  },
  {
    name: "fills", label: "Fill regions", icon: "format_color_fill", group: "view",
    isOn: ({ view }) => view.display.fills,
    run: (editor) => editor.toggleLayer("fills"),
  },
  {
    name: "fit", label: "The whole picture", icon: "fit_screen", group: "view",
    run: (editor) => editor.view.camera.fit(),
  },
  {
    name: "one_to_one", label: "One pixel as one dot of the screen", icon: "", letters: "1:1", group: "view",
    run: (editor) => editor.view.camera.oneToOne(),
  },
  {
    name: "panels", label: "Panels", words: "Hide or show the panels", icon: "right_panel_close", group: "view",
    isOn: (editor) => !editor.root.classList.contains("without-panels"), run: (editor) => editor.layout.togglePanels(),
  },
  {
    name: "full_screen", label: "Full screen", icon: "fullscreen", group: "view",
    run: (editor) => editor.layout.toggleFullScreen(),
  },
  {
    name: "sheet", label: "Keys", words: "All keys", icon: "keyboard", group: "view",
    run: (editor) => editor.keySheet.open(),
  },
];

/** Add the commands to the tool bar of an editor. */
export function addCommands(editor) {
  for (const command of COMMANDS) editor.toolBar.add(command);
  const { button } = editor.toolBar.buttons.get("full_screen");
  const { signal } = editor.stopped;
  document.addEventListener(
    "fullscreenchange", () => setIcon(button, document.fullscreenElement ? "fullscreen_exit" : "fullscreen"),
    { signal },
  );
}
