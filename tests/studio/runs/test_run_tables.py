"""What is different about several runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from maskrcnn.config import Config
from maskrcnn.runs.folder import CONFIG, DATASET, PROCESS, RESULT, RunFolder
from maskrcnn.studio.runs import curve_data, labels_and_detections, run_tables
from tests.shipping import ship


def make_run(path: Path, config: dict[str, Any], train: int = 10, val: tuple[str, ...] = ("v.jpg",)) -> RunFolder:
    run = RunFolder(path)
    path.mkdir()
    run.write_json(CONFIG, config)
    half = {"annotations": [], "categories": [{"id": 1, "name": "cell"}]}
    side = {"width": 8, "height": 8}
    pictures = [{"id": number, "file_name": f"{number}.jpg", **side} for number in range(train)]
    validation = [{"id": number, "file_name": name, **side} for number, name in enumerate(val)]
    run.write_json(
        DATASET, {"train": {"images": pictures} | half, "val": {"images": validation} | half if val else None}
    )
    run.write_json(RESULT, {"state": "done", "seconds": 1.0})
    run.write_json(PROCESS, {"pid": 1, "create_time": 0.0, "argv": [], "started": time.time()})
    return run


def preset(**changes: Any) -> dict[str, Any]:
    return Config.preset("classroom", **changes).model_dump()


def test_only_what_differs_is_told() -> None:
    settings = [{"a": 1, "b": [1, 2.5], "c": "x"}, {"a": 1, "b": [1, 3], "c": "x", "d": True}]
    assert run_tables.different_settings(settings) == {"b": ["1, 2.5", "1, 3"], "d": ["–", "true"]}


def test_runs_of_the_same_settings_differ_in_nothing(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / name, preset()) for name in "ab"]
    assert run_tables.different_settings([run_tables.compared_settings(run) for run in runs]) == {}


def test_settings_weights_of_losses_start_and_pictures_can_differ(tmp_path: Path) -> None:
    one = make_run(tmp_path / "a", preset())
    other = make_run(
        tmp_path / "b", preset(pooling="pool", loss_weights={"mrcnn_mask_loss": 2.0}), train=12, val=("v.jpg", "w.jpg")
    )
    other.write_json(PROCESS, {"argv": ["train", "--init", "toy", "--out", "b"]})
    assert run_tables.different_settings([run_tables.compared_settings(run) for run in (one, other)]) == {
        "pooling": ["align", "pool"],
        "weight of mrcnn_mask_loss": ["1.0", "2.0"],
        "start": ["–", "toy"],
        "training pictures": ["10", "12"],
        "validation pictures": ["1", "2"],
    }


def test_drawn_pictures_are_counted_by_what_is_said_of_them(weights_folder: Path) -> None:
    toy = RunFolder(ship(weights_folder, pictures=("v.jpg",)))
    assert (
        run_tables.compared_settings(toy)["training pictures"] == "10,000 pictures of the toy world shapes, seed 1000"
    )
    assert labels_and_detections.pictures_of_run(toy).train == 10000
    assert curve_data.curves([toy])[0].first_epoch == 2500  # in batches of four


def test_a_run_of_an_older_studio_has_the_defaults_of_what_it_does_not_name(tmp_path: Path) -> None:
    old = {name: value for name, value in preset().items() if name not in ("ema", "patience", "copy_paste")}
    runs = [make_run(tmp_path / "a", old), make_run(tmp_path / "b", preset(ema=0.99))]
    assert run_tables.different_settings([run_tables.compared_settings(run) for run in runs]) == {
        "ema": ["0.0", "0.99"]
    }


def test_a_config_that_cannot_be_understood_is_taken_as_it_is(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", {"backbone": "from the future", "layers": "all"})
    assert run_tables.compared_settings(run)["backbone"] == "from the future"


def test_a_foreign_config_adds_no_columns_of_its_own(tmp_path: Path) -> None:
    """Least of all " ", which is the column of pictures: an address in it would be fetched."""
    odd = {" ": "http://pictures.example/a.png", "run": "other", "mine": 1, "loss_weights": {"run": 2.0}, "layers": "x"}
    runs = [make_run(tmp_path / "a", odd), make_run(tmp_path / "b", {"layers": "all", "backbone": "from the future"})]
    table = run_tables.comparison_table(runs)
    assert list(table["run"]) == ["a", "b"]
    assert all(value.startswith("data:image/svg+xml;base64,") for value in table[" "])
    assert "mine" not in table
    assert not [name for name in table if "run" in str(name) and name != "run"]


def test_ap_can_be_compared_where_the_same_pictures_were_validated(tmp_path: Path) -> None:
    one, same, other = (
        make_run(tmp_path / name, preset(), val=val)
        for name, val in (("a", ("v.jpg", "w.jpg")), ("b", ("w.jpg", "v.jpg")), ("c", ("v.jpg",)))
    )
    assert run_tables.same_validation_pictures([one, same])
    assert not run_tables.same_validation_pictures([one, other])


def test_the_comparison_has_a_line_per_run_with_its_best_epoch(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / "a", preset()), make_run(tmp_path / "b", preset(seed=3))]
    for epoch, ap in ((1, 0.2), (2, 0.5), (3, 0.5), (4, 0.4)):
        about = {"event": "epoch", "epoch": epoch, "step": epoch, "progress": epoch / 4, "elapsed": 1.0, "eta": 0.0}
        runs[0].append_metrics({**about, "segm_ap": ap, "bbox_ap": 0.9})
    table = run_tables.comparison_table(runs)
    assert list(table["run"]) == ["a", "b"]
    assert (table["best AP"][0], table["AP of"][0], table["best epoch"][0]) == (0.5, "mask AP", 2)
    assert table["best AP"].isna()[1]
    assert list(table["seed"]) == ["0", "3"]
    assert "backbone" not in table.columns


def test_runs_of_different_epochs_are_drawn_over_what_they_share(tmp_path: Path) -> None:
    """17 steps of 2 in 8 pictures are 4.25 passes, 4 steps of 2 in 61 are 8 / 61: the same axis for both."""
    runs = [
        make_run(tmp_path / "a", preset(batch_size=2, epochs=None, minutes=1), train=8),
        make_run(tmp_path / "b", preset(batch_size=2), train=61),
    ]
    for run, step in zip(runs, (17, 4), strict=True):
        about = {"epoch": 1, "step": step, "progress": 0.5, "elapsed": 90.0, "eta": 1.0, "loss": 1.0}
        run.append_metrics({"event": "step", **about})
        run.append_metrics({"event": "epoch", **about})
    assert curve_data.x_axes(runs) == ("passes", "steps", "minutes")
    assert curve_data.x_axes(runs[:1]) == ("epochs", "passes", "steps", "minutes")
    curves = curve_data.curves(runs)
    for axis, places in {"passes": (4.25, 8 / 61), "steps": (17, 4), "minutes": (1.5, 1.5)}.items():
        for run, place in zip(curves, places, strict=True):
            assert run.step_points(axis, {}).x.tolist() == run.epoch_points(axis, ()).x.tolist() == [place], axis


def test_a_run_whose_pictures_nobody_counted_is_not_drawn_over_passes(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / name, preset()) for name in "ab"]
    (runs[1].path / DATASET).unlink()
    assert curve_data.x_axes(runs) == ("steps", "minutes")
    assert curve_data.x_axes(runs[1:]) == ("epochs", "steps", "minutes")
