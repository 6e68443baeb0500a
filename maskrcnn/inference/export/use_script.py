"""The script beside an `.onnx` file: it finds objects in a picture with ONNX Runtime, NumPy and OpenCV alone.

It is written for the network: a network without masks has no lines about masks. What ONNX has no operator for is in it,
with the same result as here: resizing by averaging (`model.resize`) and pasting of masks (`model.mask_pasting`).
"""

from __future__ import annotations

import json
import types
from pathlib import Path

from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError
from maskrcnn.model.mask_pasting import pastes_legacy
from maskrcnn.output_files import require_place
from maskrcnn.untrusted_files import is_utf8


def script_text(config: Config, onnx_name: str) -> str:
    """The text of the script for the network of `config`, whose graph is the file `onnx_name` beside it.

    >>> "def paste" in script_text(Config.preset("classroom", tasks=("box",)), "cells.onnx")
    False
    """
    has_masks, has_keypoints = "mask" in config.tasks, "keypoints" in config.tasks
    parts = [_HEAD, _FIND]
    if has_masks:
        parts.append(_FIND_MASKS)
    if has_keypoints:
        parts.append(_FIND_KEYPOINTS)
    parts.append(_RETURN)
    if has_masks:
        parts.append(_PASTE_LEGACY if pastes_legacy(config) else _PASTE)
    parts.append(_MAIN)
    if has_masks:
        parts.append(_DRAW_MASKS)
    parts.append(_DRAW_BOXES)
    if has_keypoints:
        parts.append(_DRAW_KEYPOINTS)
    parts.append(_SAVE)
    return "".join(parts).replace("ONNX_FILE", text_in_quotes(onnx_name))


def script_module(config: Config, file: Path) -> types.ModuleType:
    """The script of the ONNX `file` as a module, with `open_network` and `find_objects`: what its user runs."""
    return run_script(script_text(config, file.name), file)


def run_script(text: str, beside: Path) -> types.ModuleType:
    """A script that was made here as a module, as if it were beside the file `beside`."""
    module = types.ModuleType("exported_network")
    module.__file__ = str(beside)
    exec(compile(text, module.__file__, "exec"), vars(module))  # our own text, not that of a file
    return module


def text_in_quotes(text: str) -> str:
    """A text as it is written between double quotes in Python, such as a file name.

    >>> text_in_quotes('a"b.onnx')
    'a\\\\"b.onnx'
    """
    return json.dumps(text, ensure_ascii=False)[1:-1]  # JSON's escapes are Python's too


def script_beside(target: Path, suffix: str, does: str) -> Path:
    """The script beside the file `target`; both can be written. `does` is what the script is for, "use" or "load".

    Raises `ArgumentError` if `target` has another suffix than `suffix`, or one of the two cannot be written.

    >>> script_beside(Path("models/cells.onnx"), ".onnx", "use").as_posix()
    'models/cells_use.py'
    """
    if target.suffix != suffix:
        raise ArgumentError(f"{target}: does not end with {suffix}; give --out {target.stem or 'model'}{suffix}")
    if not is_utf8(target):
        raise ArgumentError(f"{target}: is not UTF-8, so no script can name it; choose another --out")
    script = target.with_name(f"{target.stem}_{does}.py")
    for place in (target, script):
        require_place(place)
    return script


def require_own_script(script: Path, text: str) -> None:
    """Raise `ArgumentError` if another file, such as a changed script, is in the place of the script `text`."""
    if script.exists() and script.read_text(encoding="utf-8", errors="replace") != text:
        raise ArgumentError(f"{script} is there already and was changed, so it is not replaced; choose another --out")


_HEAD = '''\
"""Finds objects in a picture: python THIS_FILE PICTURE [OVERLAY.png]. pip install onnxruntime numpy opencv-python"""
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime


def open_network(path=Path(__file__).parent / "ONNX_FILE"):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


'''

_FIND = """\
def find_objects(network, picture):  # picture: uint8 (H, W, 3) RGB; boxes and masks are in its pixels
    about = network.get_modelmeta().custom_metadata_map
    classes, (height, width) = json.loads(about["classes"]), picture.shape[:2]
    scale = min(int(about["shorter_side"]) / min(height, width), int(about["longer_side"]) / max(height, width))
    w, h = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(picture, (w, h), interpolation=cv2.INTER_AREA if w * h < width * height else cv2.INTER_LINEAR)
    names = [output.name for output in network.get_outputs()]
    found = dict(zip(names, network.run(names, {"picture": small})))
    stretch = np.array([width / w, height / h] * 2, np.float32)
    objects = []
    for number, box in enumerate(found["boxes"] * stretch):
        label, score = int(found["labels"][number]), float(found["scores"][number])
        objects.append({"class": classes[label - 1], "label": label, "score": score, "box": box})
"""

_FIND_MASKS = """\
        objects[-1]["mask"] = paste(found["masks"][number], box, height, width)
"""

_FIND_KEYPOINTS = """\
        objects[-1]["keypoints"] = found["keypoints"][number, :, :2] * stretch[:2]
        objects[-1]["keypoint_scores"] = found["keypoint_scores"][number]
"""

_RETURN = """\
    return objects


"""

_PASTE = """\
def paste(soft, box, height, width):  # the soft mask of a box -> its pixels in the picture, bool (height, width)
    mask, cells = np.zeros((height, width), bool), np.arange(len(soft))
    x1, y1, x2, y2 = (float(side) for side in box)
    left, top, right, bottom = max(0, int(x1)), max(0, int(y1)), int(np.ceil(x2)), int(np.ceil(y2))
    if x2 > x1 and y2 > y1:
        columns = (np.arange(left, min(right, width)) + 0.5 - x1) / (x2 - x1) * len(soft) - 0.5
        rows = (np.arange(top, min(bottom, height)) + 0.5 - y1) / (y2 - y1) * len(soft) - 0.5
        across = np.clip(1 - abs(columns[:, None] - cells), 0, None).astype(np.float32)
        down = np.clip(1 - abs(rows[:, None] - cells), 0, None).astype(np.float32)
        mask[top:bottom, left:right] = ((across @ soft.T) @ down.T >= 0.5).T
    return mask


"""

_PASTE_LEGACY = """\
def paste(soft, box, height, width):  # as torchvision: the soft mask of a box -> bool (height, width)
    mask, soft = np.zeros((height, width), bool), np.pad(soft, 1)
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * np.float32(len(soft) / (len(soft) - 2))
    (x1, y1), (x2, y2) = (middle - half).astype(int), (middle + half).astype(int)
    large = cv2.resize(soft, (max(x2 - x1, 0) + 1, max(y2 - y1, 0) + 1), interpolation=cv2.INTER_LINEAR)
    left, top, right, bottom = max(x1, 0), max(y1, 0), min(x1 + large.shape[1], width), min(y1 + large.shape[0], height)
    if right > left and bottom > top:
        mask[top:bottom, left:right] = large[top - y1 : bottom - y1, left - x1 : right - x1] > 0.5
    return mask


"""

_MAIN = """\
if __name__ == "__main__":
    picture = cv2.cvtColor(cv2.imread(sys.argv[1], cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    for thing in find_objects(open_network(), picture.copy()):
        if thing["score"] < 0.5:
            continue
        print(f"{thing['class']} {thing['score']:.3f}", *(f"{side:.1f}" for side in thing["box"]))
"""

_DRAW_MASKS = """\
        picture[thing["mask"]] = picture[thing["mask"]] // 2 + np.array([0, 127, 127], np.uint8)
"""

_DRAW_BOXES = """\
        corners = [int(side) for side in thing["box"]]
        cv2.rectangle(picture, corners[:2], corners[2:], (255, 60, 60), 2)
"""

_DRAW_KEYPOINTS = """\
        for x, y in thing["keypoints"]:
            cv2.circle(picture, (int(x), int(y)), 3, (255, 230, 0), -1)
"""

_SAVE = """\
    if len(sys.argv) > 2:
        cv2.imwrite(sys.argv[2], cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
"""
