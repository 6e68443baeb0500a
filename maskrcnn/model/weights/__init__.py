"""Weights in and out: a model that ships, a checkpoint of ours, a detector of torchvision, or a body trained for
classification.

`checkpoints` has our files, `torchvision_files` theirs, `transfer` what one network takes over from another; `loading`
is the door to all three.
"""

from maskrcnn.model.weights.checkpoints import Checkpoint, save
from maskrcnn.model.weights.loading import find_checkpoint, initialise, load, load_body, network_of, start_of
from maskrcnn.model.weights.torchvision_files import DETECTORS, detector_config, read_state
from maskrcnn.model.weights.transfer import Transfer

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
    "start_of",
]
