// Reports the width of the surrounding column and the height of the window, in CSS pixels, to viewport.py.

export default function ({ parentElement, setStateValue }) {
  let last = "";
  const report = () => {
    const width = Math.floor((parentElement.host ?? parentElement).getBoundingClientRect().width);
    const room = { width, height: window.innerHeight };
    const text = JSON.stringify(room);
    if (width > 0 && text !== last) { last = text; setStateValue("room", room); }
  };
  let timer = 0;
  const later = () => { clearTimeout(timer); timer = setTimeout(report, 250); };
  const observer = new ResizeObserver(later);
  observer.observe(parentElement.host ?? parentElement);
  window.addEventListener("resize", later);
  report();
  return () => { clearTimeout(timer); observer.disconnect(); window.removeEventListener("resize", later); };
}
