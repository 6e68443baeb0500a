"""Weights in and out: a model that ships, a checkpoint of ours, a detector of torchvision, or a body trained for
classification.

`checkpoints` has our files, `torchvision_files` theirs, `transfer` what one network takes over from another; `loading`
is the door to all three.
"""

from maskrcnn.model.weights.checkpoints import Checkpoint, save
from maskrcnn.model.weights.loading import find_checkpoint, initialise, load, load_body, network_of, torch_file_network
from maskrcnn.model.weights.torchvision_files import detector_config, read_state
from maskrcnn.model.weights.transfer import Transfer
from maskrcnn.runs.coco_detectors import DETECTORS

__all__ = [
    "DETECTORS",
    "Checkpoint",
    "Transfer",
    "detector_config",
    "find_checkpoint",
    "initialise",
    "load",
    "load_body",
    "network_of",
    "read_state",
    "save",
    "torch_file_network",
]
