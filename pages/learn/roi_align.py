"""RoIPool and RoIAlign: what becomes of one box on one feature map."""

import streamlit as st

from maskrcnn.annotations import pictures, raster
from maskrcnn.lessons import roi_pooling
from maskrcnn.studio import address, roi_charts, roi_maps, session
from maskrcnn.studio.canvas import box_canvas
from maskrcnn.training.run_folder import runs_in

PAGE = "roi_align"
FILTERS = "hand-made filters"
MAP_SIDE, GRID_SIDE = 245, 190  # pixels on the screen

st.title("RoIPool and RoIAlign")
st.markdown(
    "Every box that the network proposes, large or small, must become a grid of the same size before the heads can "
    "look at it. **Drag a box** and see how :orange[**RoIPool**] and :blue[**RoIAlign**] fill that grid from the "
    "feature map."
)
project = session.current_project()
images = {image.file_name: image for image in project.images()}
if not images:
    st.info("This needs a picture to draw a box on, and the project has none yet.", icon=":material/image:")
    if st.button("Add pictures", type="primary"):
        st.switch_page("pages/label/annotate.py", query_params={"project": project.folder.name})
    st.stop()

# What to look at

networks = {run.name: run for run in runs_in(project.runs_folder) if roi_maps.has_network(run)}
sources = [*networks, FILTERS]
columns = st.columns([2.1, 2.1, 1, 1.1, 1.1, 2.2])
with columns[0]:
    image = images[address.select("Picture", "image", list(images), next(iter(images)), page=PAGE)]
with columns[1]:
    source = address.select(
        "Feature map of",
        "run",
        sources,
        sources[0],
        page=PAGE,
        help="A trained run shows what its network sees. The hand-made filters need no training: brightness and edges "
        "of the picture, averaged over each cell. The arithmetic below is the same.",
    )
level = columns[2].selectbox(
    "Level",
    roi_maps.LEVELS,
    index=2,
    key=f"{PAGE}_level",
    persist_state="session",
    help="P2 has one cell for each 4 pixels of the picture as the network sees it, P3 for 8, P4 for 16, P5 for 32.",
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
    help="Points in each bin where RoIAlign reads the map. Mask R-CNN uses 2 × 2.",
)
with session.fail_softly():
    path = project.picture(image.id)
    picture = pictures.load(path)
    found = (
        roi_maps.from_filters(picture, level) if source == FILTERS else roi_maps.from_run(networks[source], path, level)
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

# The box, and what both make of it

picture_column, pool_column, align_column = st.columns([1.04, 1, 1])
with picture_column:
    st.markdown("**The picture**: drag a new box, or move this one")
    memory = f"{PAGE}_box_{project.folder}_{image.id}"
    if memory not in st.session_state:
        shapes = [region.shape for region in project.regions(image.id)[0] if raster.has_area(region.shape)]
        st.session_state[memory] = roi_maps.first_box(map(raster.bounds, shapes), image.width, image.height)
    box = box_canvas(
        picture,
        st.session_state[memory],
        f"{PAGE}_canvas_{image.id}",
        max_width=300,
        max_height=300,
        colour=roi_charts.BOX_COLOUR,
    )
if box is None:
    with pool_column:
        st.info("Drag a box on the picture to see what becomes of it.", icon=":material/highlight_alt:")
    st.stop()
st.session_state[memory] = box

scale = 1 / found.stride
seen = found.seen(box)
cells = (seen[0] * scale, seen[1] * scale, seen[2] * scale, seen[3] * scale)
bins = roi_pooling.roi_pool_bins(seen, scale, size, feature_map.shape)
samples = roi_pooling.roi_align_samples(seen, scale, size, sampling)
pooled = roi_pooling.roi_pool(feature_map, seen, scale, size)
aligned = roi_pooling.roi_align(feature_map, seen, scale, size, sampling)
error = roi_pooling.quantisation(seen, scale)
off = [shift / found.scale[edge % 2] for edge, shift in enumerate(error.shifts)]
view = roi_charts.window(cells, bins.cells)

with picture_column:
    st.markdown(
        f":small[One cell of {level} is {found.stride / found.scale[0]:.1f} picture pixels wide. "
        f"For a box of this size Mask R-CNN takes P{roi_pooling.pyramid_level(seen)}.]",
        help=f"The stride of {level} is {found.stride} pixels of the picture as the network sees it, which is the "
        f"original times {found.scale[0]:.2f}. Which level a box is pooled from depends on its size (Lin et al. 2017, "
        "equation 1).",
    )
with pool_column:
    st.markdown(":orange[**RoIPool**] rounds the box to whole cells", help="The dot is the largest cell of each bin.")
    st.altair_chart(roi_charts.pool_chart(feature_map, cells, bins, view, MAP_SIDE), width="content")
    st.markdown(
        f"Off by up to **{max(map(abs, off)):.1f} px**, IoU **{error.iou:.3f}**",
        help=f"Left {off[0]:+.1f}, top {off[1]:+.1f}, right {off[2]:+.1f}, bottom {off[3]:+.1f} picture pixels: the "
        "edges of the cells that RoIPool reads, minus those of the drawn box. A far edge may move by more than half a "
        "cell, as the cell that it is rounded to is read whole. IoU is intersection over union of these cells and the "
        "drawn box.",
    )
with align_column:
    st.markdown(":blue[**RoIAlign**] reads between the cells", help="Each bin is the average of its points.")
    st.altair_chart(roi_charts.align_chart(feature_map, samples, view, MAP_SIDE), width="content")
    st.markdown("Off by **0 px**, IoU **1**: nothing is rounded")

# The grids, and how they follow the box

grids = st.columns([1, 1, 1, 1.75])
with grids[0]:
    st.markdown(":orange[**RoIPool**]: largest value")
    st.altair_chart(roi_charts.grid_chart(pooled, "oranges", GRID_SIDE), width="content")
with grids[1]:
    st.markdown(":blue[**RoIAlign**]: average")
    st.altair_chart(roi_charts.grid_chart(aligned, "blues", GRID_SIDE), width="content")
with grids[2]:
    st.markdown(
        "**Difference**", help="RoIPool minus RoIAlign: orange where RoIPool is larger, blue where RoIAlign is."
    )
    difference = roi_charts.grid_chart(pooled - aligned, "blueorange", GRID_SIDE, difference=True)
    st.altair_chart(difference, width="content")
with grids[3]:
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
    lines = [
        moved.mean(axis=(1, 2)) if followed == "mean" else moved[:, size // 2, size // 2]
        for moved in roi_pooling.nudged(feature_map, seen, scale, size, sampling, shifts)
    ]
    pool_change, align_change = (line - line[0] for line in lines)
    nudge = roi_charts.nudge_chart(list(steps), pool_change, align_change, followed, GRID_SIDE)
    st.altair_chart(nudge, width="stretch")

# Why

if source != FILTERS:
    origin = f"The map is level {level} of the feature pyramid of {source}, for the picture as that network sees it."
elif networks:
    origin = "The map is made by hand-written filters, not by a network."
else:
    origin = (
        "The map is made by hand-written filters, not by a network, as this project has no trained run yet. Once there "
        "is one, its maps can be chosen above."
    )
st.markdown(f":small[{origin}]")
st.markdown(
    """
**Why it matters.** RoIPool rounds twice: the box to whole cells, and the bins to whole cells again. At stride 16 an
edge can end up a dozen pixels away from where it was drawn. A class label does not mind, but a mask has to be right to
the pixel. RoIAlign rounds nothing: it places points evenly in each bin, reads the map there by bilinear interpolation
between the four nearest cell middles, and averages. Move the box by one pixel and RoIAlign's grid moves along;
RoIPool's stays where it is until an edge crosses the middle of a cell, and then jumps.

In the paper this alone takes mask AP from 26.9 to 30.3 at stride 16 (ResNet-50-C4) and from 23.6 to 30.9 at stride 32
(ResNet-50-C5), most of it at strict IoU: AP75 rises from 21.6 to 32.1 there.

*He, Gkioxari, Dollár, Girshick: Mask R-CNN, ICCV 2017, section 3 (RoIAlign) and table 2. Girshick: Fast R-CNN, ICCV
2015, section 2.1 (RoI pooling). The numbers here equal those of `torchvision.ops.roi_pool` and
`roi_align(aligned=True)`.*
"""
)
