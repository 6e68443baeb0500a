"""Every stage of the network on one picture, and the stage at which a labelled object was missed.

`trace` runs the network and keeps its intermediate results. `filters` repeats the filters of the network one by one,
with their survivors. `assignment` computes the training targets. `missed_objects` tells the story of each labelled
object; it uses `object_candidates` (the candidates of an object after each filter) and `miss_verdicts` (sentences).
"""

from maskrcnn.model.tracing.assignment import GroundTruth
from maskrcnn.model.tracing.missed_objects import ObjectStory, explain
from maskrcnn.model.tracing.trace import Trace, trace

__all__ = ["GroundTruth", "ObjectStory", "Trace", "explain", "trace"]
