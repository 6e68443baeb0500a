// The grid of crops of crop_grid.py: sends what is clicked (`opened`), asked for in the editor (`edited`), and the page.

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".crops");
  const drawn = JSON.stringify(data);
  if (root.dataset.given === drawn) return;
  root.dataset.given = drawn;
  const make = (kind, className, text = "") => {
    const element = document.createElement(kind);
    element.className = className;
    element.textContent = text;
    return element;
  };
  const button = (className, text, title, click) => {
    const element = make("button", className, text);
    Object.assign(element, { type: "button", title, onclick: click });
    return element;
  };
  const tileOf = ({ item, picture, title, says, badge }) => {
    const figure = make("figure", "tile"), image = make("img", "");
    const open = button("open", "", "Show it in its picture", () => setTriggerValue("opened", item));
    figure.dataset.item = item;
    Object.assign(image, { loading: "lazy", src: picture, alt: `${title}, ${says}` });
    image.onerror = () => image.replaceWith(make("span", "none", "cannot be shown"));
    open.append(image);
    const name = make("div", "name", title), words = make("div", "says", says);
    name.title = title;
    words.title = says;
    const edit = button("edit", "editor", "Open it in the editor", () => setTriggerValue("edited", item));
    const head = make("div", "head");
    head.append(name, edit);
    figure.append(open, head, words);
    if (badge) figure.append(make("div", `badge ${badge.toLowerCase()}`, badge));
    return figure;
  };
  const parts = [];
  if (!data.all) parts.push(make("div", "empty", data.empty));
  if (data.pages > 1) {
    const bar = make("div", "pager"), last = data.first + data.tiles.length - 1;
    const step = (text, title, by) => {
      const element = button("", text, title, () => setStateValue("page", data.page + by));
      element.disabled = data.page + by < 0 || data.page + by >= data.pages;
      return element;
    };
    bar.append(
      step("‹", "Previous crops", -1), make("span", "", `${data.first} to ${last} of ${data.all}`),
      step("›", "More crops", 1),
    );
    parts.push(bar);
  }
  const grid = make("div", "grid");
  grid.append(...data.tiles.map(tileOf));
  root.replaceChildren(...parts, grid);
}
