// Floating buttons of a picture view: fit, one to one, zoom in and out, full screen.

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  fit: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5M8 8h8v8H8z",
  zoomIn: "M12 5v14M5 12h14",
  zoomOut: "M5 12h14",
  fullScreen: "M9 4H4v5M4 4l6 6M15 20h5v-5M20 20l-6-6",
  leaveFullScreen: "M4 10h6V4M10 10L4 4M20 14h-6v6M14 14l6 6",
};

/**
 * Add the buttons to a view.
 *
 * @param {import("./picture_view.js").PictureView} view
 * @param {{root?: HTMLElement, extra?: HTMLElement[]}} [options] `root` is what full screen shows (default: the view);
 *   `extra` are further buttons, made by `floatingButton`
 * @returns {{element: HTMLElement, toggleFullScreen: () => void, destroy: () => void}}
 */
export function addViewButtons(view, { root = view.root, extra = [] } = {}) {
  const bar = document.createElement("div");
  bar.className = "picture-buttons";
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "View");
  const toggleFullScreen = () => {
    if (isFullScreen(root)) document.exitFullscreen();
    else root.requestFullscreen?.().catch(() => {});
  };
  const screenButton = floatingButton("Full screen", ICONS.fullScreen, toggleFullScreen);
  bar.append(
    floatingButton("Fit the picture (f)", ICONS.fit, () => view.camera.fit()),
    floatingButton("One picture pixel per screen pixel (Shift+f)", "1:1", () => view.camera.oneToOne()),
    floatingButton("Zoom in (+)", ICONS.zoomIn, () => view.zoomBy(1.5)),
    floatingButton("Zoom out (-)", ICONS.zoomOut, () => view.zoomBy(1 / 1.5)),
    ...(document.fullscreenEnabled ? [screenButton] : []),
    ...extra,
  );
  const showState = () => {
    const full = isFullScreen(root), title = full ? "Leave full screen (Esc)" : "Full screen";
    root.classList.toggle("picture-full-screen", full);
    screenButton.title = title;
    screenButton.setAttribute("aria-label", title);
    screenButton.querySelector("path").setAttribute("d", full ? ICONS.leaveFullScreen : ICONS.fullScreen);
  };
  document.addEventListener("fullscreenchange", showState);
  view.root.append(bar);
  return {
    element: bar,
    toggleFullScreen,
    destroy() {
      document.removeEventListener("fullscreenchange", showState);
      bar.remove();
    },
  };
}

/** Whether full screen shows this element. */
export function isFullScreen(root) {
  return root.matches(":fullscreen");
}

/**
 * Return a round button for the bar of a view.
 *
 * @param {string} title tooltip and ARIA name
 * @param {string} face path data of a 24 x 24 icon that is drawn in lines, or a short text
 * @param {() => void} action
 */
export function floatingButton(title, face, action) {
  const button = document.createElement("button");
  button.type = "button";
  button.title = title;
  button.setAttribute("aria-label", title);
  if (/^M[\d .]/.test(face)) {
    const icon = document.createElementNS(SVG, "svg"), path = document.createElementNS(SVG, "path");
    icon.setAttribute("viewBox", "0 0 24 24");
    icon.setAttribute("aria-hidden", "true");
    path.setAttribute("d", face);
    icon.append(path);
    button.append(icon);
  } else {
    button.textContent = face;
  }
  button.addEventListener("click", action);
  return button;
}
