"""Train > Launch: choose how to train, see what on, and start."""

import streamlit as st

from maskrcnn.config import BACKBONES, LAYERS, POOLINGS, PRESETS, Config
from maskrcnn.jobs import local
from maskrcnn.studio import launch, session
from maskrcnn.studio.config_inputs import config_input
from maskrcnn.studio.plain_text import plain

RUNS_PAGE = "pages/train/runs.py"

with session.fail_softly():
    project = session.current_project()
    material = launch.material(project)
    others = [folder / "runs" for folder in session.projects()]

st.title("Launch a training")
form, summary = st.columns([2, 1], gap="large")

with form, session.fail_softly():
    left, right = st.columns(2)
    preset = left.selectbox("Preset", list(PRESETS), help="Where all other values start from.", key="launch-preset")
    left.markdown(f":small[{launch.PRESET_WORDS[preset]}]")
    default = Config.preset(preset)
    key = f"launch-{preset}-{{}}".format

    with right:
        unit_column, number_column = st.columns([3, 2])
        unit = unit_column.segmented_control(
            "Length",
            ["epochs", "minutes"],
            default="epochs",
            required=True,
            help="An epoch is once through the training pictures. With minutes, the run fits itself into that time.",
            key=key("unit"),
        )
        if unit == "epochs":
            number = number_column.number_input("Epochs", 1, None, default.epochs or 20, key=key("epochs"))
        else:
            number = number_column.number_input("Minutes", 0.1, None, 10.0, 1.0, format="%g", key=key("minutes"))

    left, right = st.columns(2)
    values = launch.length(unit, number)
    values["backbone"] = left.selectbox(
        "Backbone",
        BACKBONES,
        BACKBONES.index(default.backbone),
        help=Config.model_fields["backbone"].description,
        key=key("backbone"),
    )
    start_from = right.selectbox(
        "What it knows at the start",
        list(launch.START_WORDS),
        list(launch.START_WORDS).index(launch.usual_start(preset, default.backbone)),
        format_func=launch.START_WORDS.get,
        help="ImageNet weights know edges, textures and parts; COCO weights know 80 kinds of objects, too. Both are "
        "downloaded by torchvision once and kept. From scratch needs no download, but many more pictures and epochs.",
        key=key("start"),
    )
    right.markdown(f":small[{launch.start_note(start_from, values['backbone'])}]")
    path = ""
    if start_from == "file":
        path = right.text_input(
            "Weights file of the backbone",
            placeholder="a .pth file on this computer",
            help="A torch state dict of the backbone with torchvision's key names.",
            key=key("path"),
        )
    weights, init = launch.weights_and_init(start_from, path)
    default = default.replace(**launch.starting_values(weights, init))

    left, right = st.columns(2)
    values["pooling"] = left.segmented_control(
        "RoI pooling",
        POOLINGS,
        default=default.pooling,
        format_func=launch.POOLING_WORDS.get,
        required=True,
        help=Config.model_fields["pooling"].description,
        key=key("pooling"),
    )
    values["layers"] = right.selectbox(
        "Which layers learn",
        LAYERS,
        LAYERS.index(default.layers),
        format_func=launch.LAYER_WORDS.get,
        help=Config.model_fields["layers"].description,
        key=key(f"layers-{default.layers}"),
    )

    left, right = st.columns(2)
    with left:
        values["learning_rate"] = config_input(
            "learning_rate", default.learning_rate, key("learning_rate"), "Learning rate"
        )
    with right:
        values["batch_size"] = config_input("batch_size", default.batch_size, key("batch_size"), "Batch size")

    with st.expander("More choices", icon=":material/tune:"):
        for heading, fields in launch.MORE_FIELDS.items():
            st.markdown(f"**{heading}**")
            for index, name in enumerate(fields):
                if index % 3 == 0:
                    columns = st.columns(3, vertical_alignment="bottom")
                with columns[index % 3]:
                    values[name] = config_input(name, getattr(default, name), key(f"{name}-{default.norm}"))
    choices = launch.Choices(preset, launch.changed(preset, values), weights, init)

with summary:
    proposed = launch.free_name(project.runs_folder, project.name)
    name = st.text_input("Name of the run", proposed, key=f"launch-name-{project.folder}-{proposed}")
    st.markdown(launch.in_words(material))
    obstacles = material.obstacles()
    for obstacle in obstacles:
        st.error(plain(obstacle), icon=":material/block:")
    for warning in material.warnings():
        st.warning(plain(warning), icon=":material/warning:")
    started = st.button(
        "Start training", type="primary", icon=":material/rocket_launch:", width="stretch", disabled=bool(obstacles)
    )
    if started:
        with session.fail_softly():
            choices.config(material.classes)
            run = local.start(
                project.runs_folder / session.folder_name(name, "run"), choices.options(project.folder), beside=others
            )
        st.switch_page(RUNS_PAGE, query_params={"project": project.folder.name, "run": run.name})
    st.markdown(
        ":small[It trains on its own: you may close this tab or stop the studio, and find it again under Runs.]"
    )
