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
  const cropOf = ({ picture, title, says, place }) => {
    const none = make("span", "none", "cannot be shown");
    if (!picture) return none;
    const image = make("img", ""), alt = `${title}${place && ` in ${place}`}, ${says}`;
    Object.assign(image, { loading: "lazy", src: picture, alt, onerror: () => image.replaceWith(none) });
    return image;
  };
  const tileOf = (tile) => {
    const { item, title, says, badge, place } = tile, figure = make("figure", "tile");
    const open = button("open", "", "Show it in its picture", () => setTriggerValue("opened", item));
    figure.dataset.item = item;
    open.append(cropOf(tile));
    const name = make("div", "name", title), words = make("div", "says", says);
    name.title = title;
    words.title = says;
    const head = make("div", "head");
    head.append(name);
    if (tile.is_editable) {
      head.append(button("edit", "editor", "Open it in the editor", () => setTriggerValue("edited", item)));
    }
    figure.append(open, head, words);
    if (place) {
      const line = make("div", "place", place);
      line.title = place;
      figure.append(line);
    }
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
