"""Every stage of the network on one picture, and the stage at which an object was lost.

`trace` runs the network and keeps its intermediate results; `filters` repeats its filters one by one with their
survivors; `assignment` computes the targets of training. `missed_objects` follows each labelled object through the
filters, with its `object_candidates` and the `miss_verdicts` in words.
"""

from maskrcnn.model.tracing.assignment import GroundTruth
from maskrcnn.model.tracing.missed_objects import ObjectStory, explain
from maskrcnn.model.tracing.trace import Trace, trace

__all__ = ["GroundTruth", "ObjectStory", "Trace", "explain", "trace"]
