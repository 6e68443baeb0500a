"""Every stage of the network on one picture, and why an object was lost on the way.

`trace` runs the network and keeps what it passes through; `filters` repeats its filters one by one with their
survivors; `assignment` is what training would ask of it. `why` follows each labelled object through all that: its
`candidates` at every filter and the `verdicts` in words.
"""

from maskrcnn.model.tracing.assignment import GroundTruth
from maskrcnn.model.tracing.missed_objects import ObjectStory, explain
from maskrcnn.model.tracing.trace import Trace, trace

__all__ = ["GroundTruth", "ObjectStory", "Trace", "explain", "trace"]
