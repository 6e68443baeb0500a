"""RoIPool and RoIAlign: what becomes of one box on one feature map."""

import streamlit as st

from maskrcnn.annotations import pictures, raster
from maskrcnn.lessons import roi_pooling
from maskrcnn.runs.folder import runs_in
from maskrcnn.studio.components import trained_networks
from maskrcnn.studio.components.canvas import box_canvas
from maskrcnn.studio.learn import roi_charts, roi_layout, roi_maps
from maskrcnn.studio.shell import address, session
from maskrcnn.studio.shell.plain_text import plain

PAGE = "roi_align"
FILTERS = "hand-made filters"

NAMES = {
    "pool": ":orange[**RoIPool**]",
    "warp": "**RoIWarp**",
    "align-legacy": ":blue[**RoIAlign (legacy)**]",
    "align": ":blue[**RoIAlign**]",
}
DOES = {
    "pool": "rounds box and bins",
    "warp": "rounds the box only",
    "align-legacy": "is half a cell off",
    "align": "rounds nothing",
}
HOW = {
    "pool": "The dot is the largest cell of each bin.",
    "warp": "In the rounded box each bin is the average of its points, which lie between the cells.",
    "align-legacy": "Each bin is the average of its points. All lie half a cell too far right and down.",
    "align": "Each bin is the average of its points, which lie between the cells.",
}
WHY_OFF = {
    "pool": "the edges of the cells that RoIPool reads, minus those of the drawn box. A far edge may move by more than "
    "half a cell, as the cell that it is rounded to is read whole. Cells off the map are not there to be read, and do "
    "not count.",
    "warp": "the edges of the rounded box, as far as it lies on the map, minus those of the drawn box. RoIWarp rounds "
    "it to the same cells as RoIPool; only what it does inside is RoIAlign's.",
    "align-legacy": "the edges of the box that it really reads, as far as it lies on the map, minus those of the drawn "
    "box. It takes the value of a cell to sit at the cell's corner instead of its middle, and enlarges a box that is "
    "smaller than a cell.",
}

st.title("RoIPool and RoIAlign")
st.markdown(
    "Every box that the network proposes, large or small, must become a grid of the same size before the heads can "
    "look at it. **Drag a box** and see how :orange[**RoIPool**] and :blue[**RoIAlign**] fill that grid from the "
    "feature map, and what lies between the two."
)
project = session.current_project()
images = {image.file_name: image for image in project.images()}
if not images:
    st.info("This needs a picture to draw a box on, and the project has none yet.", icon=":material/image:")
    if st.button("Add pictures", type="primary"):
        st.switch_page("pages/label/annotate.py", query_params={"project": project.folder.name})
    st.stop()

# What to look at

trained = trained_networks.on_offer(run for run in runs_in(project.runs_folder) if roi_maps.has_network(run))
sources = [*trained, FILTERS]
layout = roi_layout.layout(PAGE)
columns = layout.controls()
with columns[0]:
    image = images[address.select("Picture", "image", list(images), next(iter(images)), page=PAGE)]
with columns[1]:
    source = address.select(
        "Feature map of",
        "run",
        sources,
        sources[0],
        page=PAGE,
        help="A trained run, or a network that ships with the studio, shows what it sees. The hand-made filters "
        "need no training: brightness and edges of the picture, averaged over each cell. The arithmetic below is the "
        "same.",
    )
with session.fail_softly():
    levels = roi_maps.LEVELS if source == FILTERS else roi_maps.levels_of(trained[source])
level = columns[2].selectbox(
    "Level",
    levels,
    index=min(2, len(levels) - 1),
    key=f"{PAGE}_level_{len(levels)}_{levels[0]}",
    persist_state="session",
    help="P2 has one cell for each 4 pixels of the picture as the network sees it, P3 for 8, P4 for 16, P5 for 32; so "
    "have C4 and C5, the only map of a network without a pyramid.",
)
size = columns[3].selectbox(
    "Grid",
    (2, 3, 5, 7),
    index=1,
    format_func=lambda side: f"{side} × {side}",
    key=f"{PAGE}_size",
    persist_state="session",
    help="Bins of the pooled grid. The box head of Mask R-CNN uses 7 × 7, the mask head 14 × 14.",
)
sampling = columns[4].selectbox(
    "Samples",
    (1, 2, 3, 4),
    index=1,
    format_func=lambda side: f"{side} × {side}",
    key=f"{PAGE}_samples",
    persist_state="session",
    help="Points in each bin where RoIAlign and RoIWarp read the map. Mask R-CNN uses 2 × 2.",
)
with session.fail_softly():
    path = project.picture(image.id)
    picture = pictures.load(path)
    found = (
        roi_maps.from_filters(picture, level) if source == FILTERS else roi_maps.from_run(trained[source], path, level)
    )
with columns[5]:
    channel = st.selectbox(
        "Channel",
        [-1, *range(len(found.channels))],
        format_func=found.channel_name,
        key=f"{PAGE}_channel_{len(found.channels)}",
        persist_state="session",
        help="A map has many channels, all pooled alike. The strongest is the one whose values vary most.",
    )
feature_map = found.channels[found.strongest if channel < 0 else channel]

# The box, and what two methods make of it

picture_column, maps_column = layout.beside(*roi_layout.PICTURE_AND_MAPS)
with picture_column:
    st.markdown("**The picture**: drag a box, or move it")
    memory = f"{PAGE}_box_{project.folder}_{image.id}"
    if memory not in st.session_state:
        shapes = [region.shape for region in project.regions(image.id)[0] if raster.has_area(region.shape)]
        st.session_state[memory] = roi_maps.first_box(map(raster.bounds, shapes), image.width, image.height)
    box = box_canvas(
        picture,
        st.session_state[memory],
        f"{PAGE}_canvas_{image.id}",
        max_width=layout.picture_width,
        max_height=layout.picture_height,
        colour=roi_charts.BOX_COLOUR,
    )
if box is None:
    with maps_column:
        st.info("Drag a box on the picture to see what becomes of it.", icon=":material/highlight_alt:")
    st.stop()
st.session_state[memory] = box

scale = 1 / found.stride
seen = found.seen(box)
cells = (seen[0] * scale, seen[1] * scale, seen[2] * scale, seen[3] * scale)
bins = roi_pooling.roi_pool_bins(seen, scale, size, feature_map.shape)

with picture_column:
    takes = ""
    if levels == roi_maps.LEVELS:
        roi_level = 4 if source == FILTERS else trained[source].config().fpn_roi_level
        takes = f" For a box of this size Mask R-CNN takes P{roi_pooling.pyramid_level(seen, roi_level=roi_level)}."
    st.markdown(
        f":small[One cell of {level} is {found.stride / found.scale[0]:.1f} picture pixels wide.{takes}]",
        help=f"The stride of {level} is {found.stride} pixels of the picture as the network sees it, which is the "
        f"original times {found.scale[0]:.2f}. Which level of a pyramid a box is pooled from depends on its size (Lin "
        "et al. 2017, equation 1).",
    )


def deviation(method: str) -> None:
    """How far the method's box is from the drawn one."""
    if method == "align":
        st.markdown("Off by **0 px**, IoU **1**")
        return
    error = roi_pooling.quantisation(seen, scale, method, feature_map.shape)
    off = [shift / found.scale[edge % 2] for edge, shift in enumerate(error.shifts)]
    st.markdown(
        f"Off by up to **{max(map(abs, off)):.1f} px**, IoU **{error.iou:.3f}**",
        help=f"Left {off[0]:+.1f}, top {off[1]:+.1f}, right {off[2]:+.1f}, bottom {off[3]:+.1f} picture pixels: "
        f"{WHY_OFF[method]} IoU is intersection over union of the two boxes.",
    )


with maps_column:
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        st.markdown(f"{NAMES['pool']} beside", width="content")
        method = address.segments(
            "Beside RoIPool",
            "method",
            ("warp", "align-legacy", "align"),
            "align",
            page=PAGE,
            show=lambda method: roi_pooling.METHODS[method],
        )
    pool_column, other_column = st.columns(2)
samples = roi_pooling.samples_of(method, seen, scale, size, sampling)
view = roi_charts.window(cells, bins.cells, samples.box)
with pool_column:
    st.markdown(f"{NAMES['pool']} {DOES['pool']}", help=HOW["pool"])
    st.altair_chart(roi_charts.pool_chart(feature_map, cells, bins, view, layout.map_side), width="content")
    deviation("pool")
with other_column:
    st.markdown(f"{NAMES[method]} {DOES[method]}", help=HOW[method])
    st.altair_chart(
        roi_charts.samples_chart(feature_map, cells, samples, method, view, layout.map_side), width="content"
    )
    deviation(method)

# The grids, and how they follow the box

grids_column, nudge_column = layout.beside(*roi_layout.GRIDS_AND_NUDGE)
made = {name: roi_pooling.grid_of(name, feature_map, seen, scale, size, sampling) for name in roi_pooling.METHODS}
with grids_column:
    shown = st.segmented_control(
        "The grid of each",
        ["values", "differences"],
        default="values",
        required=True,
        format_func={"values": "its values", "differences": "its difference from RoIAlign's"}.get,
        key=f"{PAGE}_shown",
        persist_state="session",
        help="Values of the feature map, which have no unit: RoIPool takes the largest of each bin, the others the "
        "average of its points. A difference is "
        "orange where the method's value is larger than RoIAlign's, blue where it is smaller; all have one scale.",
    )
    differences = {name: grid - made["align"] for name, grid in made.items() if name != "align"}
    largest = max(float(abs(difference).max()) for difference in differences.values())
    for column, (name, grid) in zip(layout.grids(), made.items(), strict=True):
        column.markdown(NAMES[name])
        chart = (
            roi_charts.grid_chart(differences[name], "blueorange", layout.grid_side, largest=largest)
            if shown == "differences" and name in differences
            else roi_charts.grid_chart(grid, roi_charts.LOOKS[name].scheme, layout.grid_side)
        )
        column.altair_chart(chart, width="content")
with nudge_column:
    followed = st.segmented_control(
        "Nudge the box and follow",
        ["mean", "middle bin"],
        default="mean",
        required=True,
        format_func={"mean": "mean of the grid", "middle bin": "middle bin"}.get,
        key=f"{PAGE}_followed",
        persist_state="session",
        help="The box is moved right pixel by pixel, by two cells in all. The heights of the two differ, because one "
        "takes the largest value and the other the average, so both start at 0 here. Look at the shape.",
    )
    steps = range(round(2 * found.stride / found.scale[0]) + 1)
    shifts = [step * found.scale[0] for step in steps]
    changes = []
    for name in ("pool", method):
        moved = roi_pooling.nudged(name, feature_map, seen, scale, size, sampling, shifts)
        line = moved.mean(axis=(1, 2)) if followed == "mean" else moved[:, size // 2, size // 2]
        changes.append(line - line[0])
    nudge = roi_charts.nudge_chart(list(steps), *changes, method, layout.nudge_height)
    st.altair_chart(nudge, width="stretch")

# Why

if source != FILTERS:
    kind = f"level {level} of the feature pyramid" if len(levels) > 1 else f"{level}, the only map,"
    origin = f"The map is {kind} of {plain(source)}, for the picture as that network sees it."
elif trained:
    origin = "The map is made by hand-written filters, not by a network."
else:
    origin = (
        "The map is made by hand-written filters, not by a network, as this project has no trained run yet. Once there "
        "is one, its maps can be chosen above."
    )
st.markdown(f":small[{origin}]")
st.markdown(
    """
**Why it matters.** RoIPool rounds twice: the box to whole cells, and the bins to whole cells again. At stride 16
the left and upper edges can end up 8 pixels from where they were drawn (half a cell), the right and lower ones 24 (one
and a half). A class label does not mind, but a mask has to be right to the pixel. RoIAlign rounds nothing: it places
points evenly in each bin, reads the map there by bilinear interpolation between the four nearest cell middles, and
averages. Move the box by one pixel and RoIAlign's grid moves along; RoIPool's stays where it is until an edge crosses
the middle of a cell, and then jumps.

**RoIWarp** tells which of the two it is, the rounding or the reading. It reads between the cells as RoIAlign does, but
in a box that was rounded as RoIPool's is, and in the paper it is hardly better: what counts is not to round the box.

| Mask AP in the paper | RoIPool | RoIWarp | RoIAlign |
|---|---|---|---|
| ResNet-50-C4, stride 16 | 26.9 | 27.2 | **30.3** |
| the same at AP75 | 26.4 | 27.1 | **31.5** |
| ResNet-50-C5, stride 32 | 23.6 | | **30.9** |
| the same at AP75 | 21.6 | | **32.1** |

**RoIAlign (legacy)** is RoIAlign as it was first published. It takes the value of a cell to sit at the cell's corner
instead of its middle, so everything is read half a cell too far right and down. It rounds nothing, so a network can
learn to live with it: torchvision's COCO weights have, and need it (`pooling = "align-legacy"`).

*He, Gkioxari, Dollár, Girshick: Mask R-CNN, ICCV 2017, section 3 (RoIAlign) and table 2. Girshick: Fast R-CNN, ICCV
2015, section 2.1 (RoI pooling). Dai, He, Sun: Instance-aware Semantic Segmentation via Multi-task Network Cascades,
CVPR 2016 (RoIWarp). The numbers here equal those of `torchvision.ops.roi_pool` and `roi_align`, and of the studio's
networks.*
"""
)
