"""Reading and writing of weights: shipped models, checkpoints, torchvision's detectors and classification networks.

`checkpoint_tensors` finds, opens and writes checkpoints, `torchvision_files` reads files of torchvision,
`tensor_checks` compares the tensors of a file with a network, `transfer` copies tensors from one network to another,
and `loading` builds or fills a network.
"""

from maskrcnn.model.weights.checkpoint_tensors import Checkpoint, find_checkpoint, save
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
