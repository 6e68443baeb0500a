"""Reading and writing weights: models that ship, our checkpoints, torchvision's detectors and classification networks.

`checkpoints` has our files, `torchvision_files` torchvision's, `transfer` copies from one network to another; `loading`
uses all three.
"""

from maskrcnn.model.weights.checkpoints import Checkpoint, find_checkpoint, save
from maskrcnn.model.weights.loading import initialise, load, load_body, network_of
from maskrcnn.model.weights.torchvision_files import detector_config, read_state, torch_file_network
from maskrcnn.model.weights.transfer import Transfer

__all__ = [
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
