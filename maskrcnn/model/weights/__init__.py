"""Reading and writing of weights: shipped models, checkpoints, torchvision's detectors and classification networks.

`network_checkpoints` finds and writes checkpoints and builds their networks, `torchvision_files` reads files of
torchvision, `tensor_checks` compares the tensors of a file with a network, and `transfer` initialises a network, or its
body, with the tensors of another one.
"""

from maskrcnn.model.weights.network_checkpoints import Checkpoint, find_checkpoint, load, network_of, save
from maskrcnn.model.weights.torchvision_files import detector_config, read_state, torch_file_network
from maskrcnn.model.weights.transfer import Transfer, initialise, load_body

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
