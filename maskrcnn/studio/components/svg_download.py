"""A button that saves the charts of a part of the page as SVG files. (Streamlit's own button saves one chart as PNG.)

Only charts that the browser draws as SVG can be saved: `chart.draw(..., svg=True)` and `chart.draw_clickable`.
"""

from __future__ import annotations

from maskrcnn.studio.components import browser_component

_component = browser_component.register(__file__, html="<button type='button'>Charts as SVG</button>")


def show(container: str, file_name: str) -> None:
    """Draw the button. It saves each chart in the Streamlit container with the key `container`.

    The files are called `file_name`.svg; from the second chart on, a number is added.
    """
    _component(key=f"{container}_svg", data={"container": f"st-key-{container}", "name": file_name})
