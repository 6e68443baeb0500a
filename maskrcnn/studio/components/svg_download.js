// Saves the charts of a container of the page, which Vega has drawn as SVG (svg_download.py).

const NAMESPACE = "http://www.w3.org/2000/svg";

export default function ({ parentElement, data }) {
  const button = parentElement.querySelector("button");
  button.title = "Saves each chart of this part of the page as an SVG file";
  button.onclick = () => {
    const charts = document.querySelectorAll(`.${CSS.escape(data.container)} [data-testid="stVegaLiteChart"] svg.marks`);
    charts.forEach((chart, place) => {
      const copy = chart.cloneNode(true);
      copy.setAttribute("xmlns", NAMESPACE);
      // On the page text takes the colour of the theme; a file stands on paper.
      copy.style.color = "#000";
      const file = new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
      const link = document.createElement("a");
      link.href = URL.createObjectURL(file);
      link.download = `${data.name}${place ? `_${place + 1}` : ""}.svg`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    });
    if (!charts.length) button.textContent = "No chart to save here";
  };
}
