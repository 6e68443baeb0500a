"""Train > Launch: choose how to train, see what on and how long it takes, and start."""

import pandas as pd
import streamlit as st

from maskrcnn.config import LAYERS, MASK_HEADS, MASK_KINDS, POOLINGS, PRESETS, TASK_OF_SECTION, Config
from maskrcnn.errors import StudioError
from maskrcnn.jobs import devices, queue
from maskrcnn.runs import shipped_models
from maskrcnn.runs.epochs import EPOCH_MEANING
from maskrcnn.studio.launch import choices as launch
from maskrcnn.studio.launch import doctor_summary, duration_estimate, holdback, queue_turn, training_material
from maskrcnn.studio.launch import vocabulary as words
from maskrcnn.studio.launch.config_inputs import config_grid, config_input
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.page_words import on_page
from maskrcnn.studio.shell.plain_text import bullets, plain

RUNS_PAGE = "pages/train/runs.py"
SHIPS = shipped_models.names()

with session.fail_softly():
    project = session.current_project()
    machine = devices.available()

st.title("Launch a training")
with session.fail_softly():
    labels = training_material.known_labels(project)
form, summary = st.columns([5, 3], gap="medium")

with form, session.fail_softly():
    presets = list(PRESETS)
    recommended = launch.recommended_preset(machine)
    preset = st.selectbox(
        "Preset",
        presets,
        presets.index(recommended),
        format_func=lambda name: f"{name} (recommended here)" if name == recommended else name,
        help="Where all other values start from.",
        key="launch-preset",
    )
    st.markdown(f":small[{words.PRESET_WORDS[preset]} {launch.machine_in_words(machine)}]")
    default = Config.preset(preset)
    key = f"launch-{preset}-{{}}".format
    with st.container(horizontal=True, vertical_alignment="bottom"):
        unit = st.segmented_control(
            "Length",
            list(words.LENGTH_WORDS),
            default="epochs",
            format_func=words.LENGTH_WORDS.get,
            required=True,
            wrap=True,
            help=f"{EPOCH_MEANING} With minutes, learning rate and end follow the clock. The third ends when the AP on "
            "the validation pictures has not risen for a while.",
            key=key("unit"),
        )
        patience = None
        if unit == "epochs":
            number = st.number_input("Epochs", 1, None, default.epochs or 20, key=key("epochs"), width=140)
        elif unit == "minutes":
            number = st.number_input("Minutes", 0.1, None, 10.0, 1.0, format="%g", key=key("minutes"), width=140)
        else:
            patience = st.number_input(
                "Epochs without a better one",
                1,
                None,
                5,
                help=Config.model_fields["patience"].description,
                key=key("patience"),
                width=210,
            )
            number = st.number_input("Epochs at most", 1, None, 100, key=key("most"), width=140)
    values = launch.length(unit, number, patience)

    # What is found of each object

    st.markdown(":small[What it finds]", help=Config.model_fields["tasks"].description)
    with st.container(horizontal=True):
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

    # What it knows, and the network, which follows from that where a model ships

    left, right = st.columns(2, vertical_alignment="bottom")
    default = default.replace(tasks=tasks)
    offered = launch.starts_on_offer()
    at_start, start_chosen = key("start"), key("start-chosen")
    if st.session_state.get(at_start) not in offered or not st.session_state.get(start_chosen):
        st.session_state[at_start] = launch.usual_start(preset, default)
        st.session_state[start_chosen] = False
    start_from = right.selectbox(
        "What it knows at the start",
        list(offered),
        format_func=offered.get,
        help="ImageNet weights know edges, textures and parts; COCO weights know 80 kinds of objects, too. Both are "
        "downloaded by torchvision once and kept. The toys ship with the studio: small networks that know drawings, "
        "for a start without a download. From scratch needs many more pictures and epochs.",
        on_change=lambda: st.session_state.update({start_chosen: True}),
        key=at_start,
    )
    path = ""
    if start_from in words.PATH_WORDS:
        label, placeholder, about = words.PATH_WORDS[start_from]
        path = st.text_input(label, placeholder=placeholder, help=about, key=key(f"path-{start_from}"))
    weights, init = launch.weights_and_init(start_from, path)
    default = launch.with_its_network(default, init)
    comes_along = f"It comes along with what the network knows: {offered[start_from]}." if init in SHIPS else None
    network_key = f"launch-{preset}-{init if comes_along else ''}{{}}".format
    body = left.selectbox(
        "Backbone",
        list(words.BODIES),
        list(words.BODIES).index(default.body),
        format_func=words.BODY_WORDS.get,
        help=comes_along
        or "The body that turns the picture into feature maps. A deeper one sees more and takes longer.",
        disabled=comes_along is not None,
        key=network_key("body"),
    )
    note = st.container()
    kinds = words.BODIES[body]
    kind = st.segmented_control(
        "Feature maps",
        kinds,
        default=default.kind if default.kind in kinds else kinds[0],
        format_func=words.KIND_WORDS.get,
        required=True,
        wrap=True,
        help=comes_along or Config.model_fields["backbone"].description,
        disabled=comes_along is not None,
        key=network_key("-".join(kinds)),
    )
    values["backbone"] = f"{body}_{kind}"
    # The light pyramid has two maps of one stride, so one scale for each level would be no choice.
    scales_at = "every-level" if kind == "fpn32" else default.rpn_scales_at
    default = default.replace(backbone=values["backbone"], rpn_scales_at=scales_at)
    note.markdown(f":small[{launch.start_note(start_from, default)}]")
    default = default.replace(**launch.starting_values(preset, weights, init))
    values["pooling"] = st.segmented_control(
        "RoI pooling",
        POOLINGS,
        default=default.pooling,
        format_func=words.POOLING_WORDS.get,
        required=True,
        wrap=True,
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
            help=comes_along or Config.model_fields["mask_head"].description,
            disabled=comes_along is not None,
            key=network_key("mask_head"),
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

    left, middle, right = st.columns([3, 2, 2], vertical_alignment="bottom")
    values["layers"] = left.selectbox(
        "Which layers learn",
        [*LAYERS, *words.SCHEDULE_WORDS],
        [*LAYERS, *words.SCHEDULE_WORDS].index(default.layers),
        format_func=lambda layers: (words.LAYER_WORDS | words.SCHEDULE_WORDS)[layers],
        help="The heads (with RPN and pyramid) are new and have most to learn. The body below them knows edges and "
        "parts already, if it was given weights. A schedule lets the heads settle first, then refines the rest at a "
        "tenth of the learning rate.",
        key=key(f"layers-{default.layers}"),
    )
    with middle:
        values["learning_rate"] = config_input(
            "learning_rate", default.learning_rate, key("learning_rate"), "Learning rate"
        )
    with right:
        values["batch_size"] = config_input("batch_size", default.batch_size, key("batch_size"), "Batch size")

    schedule = st.container()

    with st.expander("More choices", icon=":material/tune:"):
        typed = st.text_input(
            "Schedule of layers",
            placeholder="as chosen above; or for example heads:0.4,all:0.6:0.2",
            help=Config.model_fields["layers"].description,
            key=key("schedule"),
        ).strip()
        values["layers"] = typed or values["layers"]
        more_key = f"{network_key('more')}-{default.norm}-{scales_at}-{{}}".format
        for heading, fields in words.MORE_FIELDS.items():
            if TASK_OF_SECTION.get(heading, "box") in tasks:
                st.markdown(f"**{heading}**")
                values |= config_grid(fields, default, more_key)
    choices = launch.Choices(preset, launch.changed(preset, values), weights, init)
    schedule.markdown(f":small[{launch.schedule_in_words(values['layers'])}]")

with summary:
    proposed = launch.free_name(project.runs_folder, project.name)
    name = st.text_input("Name of the run", proposed, key=f"launch-name-{project.folder}-{proposed}")
    device = queue_turn.choose_device(machine)
    obstacles, warnings = material.obstacles(), []
    config = None
    if material.classes:
        try:
            config = choices.config(material.classes, keypoints)
            warnings = material.warnings(config)
        except StudioError as error:
            obstacles.append(str(error))
    for obstacle in obstacles:
        st.error(plain(on_page(obstacle)), icon=":material/block:")

    turn = queue_turn.turn(device)
    estimate = None
    if config and not obstacles and choices.has_files():
        wanted = duration_estimate.Wanted(
            config,
            choices.options(project.folder),
            project.folder,
            project.runs_folder,
            material.train.pictures,
            material.val.pictures if material.val.objects else 0,
            device,
            turn.seconds,
            turn.must_wait,
        )
        estimate = duration_estimate.show(wanted)
    holdback.offer(project, material)
    started = st.button(
        "Add to the queue" if turn.must_wait else "Start training",
        type="primary",
        icon=":material/playlist_add:" if turn.must_wait else ":material/rocket_launch:",
        width="stretch",
        disabled=bool(obstacles),
        key="launch-start",
    )
    if started:
        with session.fail_softly():
            choices.require_files()
            run = queue.add(
                project.runs_folder / session.folder_name(name, "run"),
                choices.options(project.folder),
                workspace=session.workspace(),
                device=device,
                expected_seconds=estimate.seconds if estimate else launch.given_seconds(values),
            )
        st.switch_page(RUNS_PAGE, query_params={"project": project.folder.name, "run": run.name})
    st.markdown(f":small[{turn.in_words()}]")
    st.markdown("**What it learns from**", help=training_material.OBJECTS)
    st.dataframe(
        pd.DataFrame(material.table(), columns=["", "train", "val"]),
        hide_index=True,
        column_config={  # small enough for a third of a projector; where there is more room they grow
            "": st.column_config.TextColumn(width=80),
            "train": st.column_config.TextColumn(width=48, alignment="right", help="To learn from."),
            "val": st.column_config.TextColumn(
                width=60, alignment="right", help="Kept back, to measure the result on."
            ),
        },
    )
    if material.left_out():
        st.markdown(material.left_out())
    if config:
        st.markdown(f":small[{launch.in_short(config)}]")
    if warnings:
        st.warning(bullets([on_page(line) for line in warnings], most=8), icon=":material/warning:")
    doctor_summary.show(project)
