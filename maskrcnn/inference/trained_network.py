"""`TrainedNetwork`, the network that `load` returns: a detector of torchvision with a `predict` for one picture."""

from __future__ import annotations

from maskrcnn.evaluation.measures import DEFAULT_MIN_SCORE
from maskrcnn.inference.found_objects import FoundObjects
from maskrcnn.inference.given_pixels import Picture, given_pixels
from maskrcnn.model import detect
from maskrcnn.model.build import StudioRCNN


class TrainedNetwork(StudioRCNN):
    """A network in eval mode that is ready for inference."""

    def predict(self, picture: Picture, min_score: float = DEFAULT_MIN_SCORE) -> FoundObjects:
        """Find the objects in one picture, those with a score of at least `min_score`.

        `picture` is a file, an image of PIL, or a uint8 `(H, W, 3)` RGB array (not OpenCV's BGR: `frame[..., ::-1]`
        is RGB). The network itself gives no score below its `config.detection_min_confidence`.

        Raises `ArgumentError` for an array of another type or shape, and `StudioError` for a file that cannot be read.

        >>> import numpy as np
        >>> from maskrcnn.inference import load
        >>> load("toy", device="cpu").predict(np.full((64, 64, 3), 128, np.uint8), min_score=0.9)
        <no objects in a picture of 64 x 64 px>
        """
        pixels, name, path = given_pixels(picture)
        found = tuple(entry for entry in detect(self, pixels) if entry["score"] >= min_score)
        return FoundObjects(pixels, found, self.config, name, path)


def as_trained(network: StudioRCNN) -> TrainedNetwork:
    """The same network, in place, as a `TrainedNetwork`. The class only adds methods, so no tensor is touched."""
    network.__class__ = TrainedNetwork
    assert isinstance(network, TrainedNetwork)
    return network
