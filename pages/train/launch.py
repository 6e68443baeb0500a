"""Train > Launch: choose how to train, see what on, and start."""

import streamlit as st

from maskrcnn.config import LAYERS, MASK_HEADS, MASK_KINDS, POOLINGS, PRESETS, Config
from maskrcnn.errors import StudioError
from maskrcnn.jobs import local
from maskrcnn.studio import launch, launch_material, session
from maskrcnn.studio import launch_words as words
from maskrcnn.studio.config_inputs import config_grid, config_input
from maskrcnn.studio.plain_text import plain

RUNS_PAGE = "pages/train/runs.py"

with session.fail_softly():
    project = session.current_project()
    labels = launch_material.labels(project)
    others = [folder / "runs" for folder in session.projects()]

st.title("Launch a training")
form, summary = st.columns([2, 1], gap="medium")
more = st.container()

with form, session.fail_softly():
    left, middle, right = st.columns([4, 3, 2])
    preset = left.selectbox("Preset", list(PRESETS), help="Where all other values start from.", key="launch-preset")
    default = Config.preset(preset)
    key = f"launch-{preset}-{{}}".format
    unit = middle.segmented_control(
        "Length",
        ["epochs", "minutes"],
        default="epochs",
        required=True,
        help="An epoch is once through the training pictures. With minutes, the run fits itself into that time.",
        key=key("unit"),
    )
    if unit == "epochs":
        number = right.number_input("Epochs", 1, None, default.epochs or 20, key=key("epochs"))
    else:
        number = right.number_input("Minutes", 0.1, None, 10.0, 1.0, format="%g", key=key("minutes"))
    values = launch.length(unit, number)
    st.markdown(f":small[{words.PRESET_WORDS[preset]}]")

    # What is found of each object

    st.markdown(":small[What it finds]", help=Config.model_fields["tasks"].description)
    with st.container(horizontal=True, gap="large"):
        st.toggle("boxes", True, disabled=True, help="Every network finds boxes first.", key=key("box"))
        masks = st.toggle("masks", "mask" in default.tasks, key=key("mask"))
        with_keypoints = st.toggle(
            "keypoints",
            labels.keypoints is not None and "keypoints" in default.tasks,
            disabled=labels.keypoints is None,
            help=plain(labels.no_keypoints) or None,
            key=key(f"keypoints-{labels.keypoints is not None}"),
        )
    tasks = ("box", *["mask"] * masks, *["keypoints"] * with_keypoints)
    keypoints = labels.keypoints if with_keypoints else None
    material = labels.material(tasks)
    values["tasks"] = tasks
    if keypoints:  # sigmas, limbs and names must be as many
        values["num_keypoints"] = keypoints.count

    # The network, and what it knows

    left, right = st.columns(2)
    body = left.selectbox(
        "Backbone",
        list(words.BODIES),
        list(words.BODIES).index(default.body),
        format_func=words.BODY_WORDS.get,
        help="The body that turns the picture into feature maps. A deeper one sees more and takes longer.",
        key=key("body"),
    )
    start_from = right.selectbox(
        "What it knows at the start",
        list(words.START_WORDS),
        list(words.START_WORDS).index(launch.usual_start(default)),
        format_func=words.START_WORDS.get,
        help="ImageNet weights know edges, textures and parts; COCO weights know 80 kinds of objects, too. Both are "
        "downloaded by torchvision once and kept. From scratch needs no download, but many more pictures and epochs.",
        key=key("start"),
    )
    path = ""
    if start_from in words.PATH_WORDS:
        label, placeholder, about = words.PATH_WORDS[start_from]
        path = st.text_input(label, placeholder=placeholder, help=about, key=key(f"path-{start_from}"))
    weights, init = launch.weights_and_init(start_from, path)
    note = st.container()
    kinds = words.BODIES[body]
    kind = st.segmented_control(
        "Feature maps",
        kinds,
        default=default.kind if default.kind in kinds else kinds[0],
        format_func=words.KIND_WORDS.get,
        required=True,
        help=Config.model_fields["backbone"].description,
        key=key("-".join(kinds)),
    )
    values["backbone"] = f"{body}_{kind}"
    # The light pyramid has two maps of one stride, so one scale for each level would be no choice.
    scales_at = "every-level" if kind == "fpn32" else default.rpn_scales_at
    default = default.replace(tasks=tasks, backbone=values["backbone"], rpn_scales_at=scales_at)
    note.markdown(f":small[{launch.start_note(start_from, default)}]")
    default = default.replace(**launch.starting_values(preset, weights, init))
    values["pooling"] = st.segmented_control(
        "RoI pooling",
        POOLINGS,
        default=default.pooling,
        format_func=words.POOLING_WORDS.get,
        required=True,
        help=Config.model_fields["pooling"].description,
        key=key("pooling"),
    )
    if masks:
        left, right = st.columns(2)
        values["mask_head"] = left.selectbox(
            "Mask head",
            MASK_HEADS,
            MASK_HEADS.index(default.mask_head),
            format_func=words.MASK_HEAD_WORDS.get,
            help=Config.model_fields["mask_head"].description,
            key=key("mask_head"),
        )
        values["mask_kind"] = right.selectbox(
            "Masks",
            MASK_KINDS,
            MASK_KINDS.index(default.mask_kind),
            format_func=words.MASK_KIND_WORDS.get,
            help=Config.model_fields["mask_kind"].description,
            key=key("mask_kind"),
        )

    # How it learns

    left, middle, right = st.columns([3, 2, 2])
    values["layers"] = left.selectbox(
        "Which layers learn",
        LAYERS,
        LAYERS.index(default.layers),
        format_func=words.LAYER_WORDS.get,
        help=Config.model_fields["layers"].description,
        key=key(f"layers-{default.layers}"),
    )
    with middle:
        values["learning_rate"] = config_input(
            "learning_rate", default.learning_rate, key("learning_rate"), "Learning rate"
        )
    with right:
        values["batch_size"] = config_input("batch_size", default.batch_size, key("batch_size"), "Batch size")

    with more, st.expander("More choices", icon=":material/tune:"):
        more_key = f"launch-{preset}-{default.norm}-{scales_at}-{{}}".format
        for heading, fields in words.MORE_FIELDS.items():
            if words.TASK_OF_HEADING.get(heading, "box") in tasks:
                st.markdown(f"**{heading}**")
                values |= config_grid(fields, default, more_key)
    choices = launch.Choices(preset, launch.changed(preset, values), weights, init)

with summary:
    proposed = launch.free_name(project.runs_folder, project.name)
    name = st.text_input("Name of the run", proposed, key=f"launch-name-{project.folder}-{proposed}")
    st.markdown(material.in_words())
    obstacles = material.obstacles()
    if material.classes:
        try:
            st.markdown(f":small[{launch.in_short(choices.config(material.classes, keypoints))}]")
        except StudioError as error:
            obstacles.append(str(error))
    for obstacle in obstacles:
        st.error(plain(obstacle), icon=":material/block:")
    for warning in material.warnings():
        st.warning(plain(warning), icon=":material/warning:")
    started = st.button(
        "Start training", type="primary", icon=":material/rocket_launch:", width="stretch", disabled=bool(obstacles)
    )
    if started:
        with session.fail_softly():
            choices.require_files()
            run = local.start(
                project.runs_folder / session.folder_name(name, "run"), choices.options(project.folder), beside=others
            )
        st.switch_page(RUNS_PAGE, query_params={"project": project.folder.name, "run": run.name})
    st.markdown(
        ":small[It trains on its own: you may close this tab or stop the studio, and find it again under Runs.]"
    )
