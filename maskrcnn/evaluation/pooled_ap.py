"""Average precision from one ranking over all classes of a picture, as the matterport notebooks print it.

Definition. Sort the picture's detections by score, all classes together. Each takes the free object of its own class
that it overlaps best, if the IoU of their masks (or boxes, where there are no masks) is at least the threshold. After
every detection there is a precision (hits so far / detections so far) and a recall (hits so far / objects). Replace
each precision by the largest at that recall or beyond (the envelope); the area under it over recall is the AP. Recall
rises by 1 / objects at each hit and nowhere else, so the area is the sum of the envelope at the hits, divided by the
number of objects.

Departures from those notebooks: a picture without objects has no AP (None) instead of a division by zero; crowds, and
detections that lie on one, are left out; and the ranking holds every detection that the model gave, down to its own
`detection_min_confidence`, where the notebooks' default kept scores from 0.7 on.

It differs from COCO's AP50 in three ways: classes share one ranking instead of being averaged, a detection of a class
that the picture does not have counts against it, and the area is exact instead of read at 101 recalls.
"""

from __future__ import annotations

import numpy as np


def pooled_ap(hits: np.ndarray, n_objects: int) -> float | None:
    """The area under the enveloped precision-recall curve, in [0, 1]; None where there are no objects.

    `hits` (P,) bool: whether each detection, best score first, found an object of its class.

    Of two objects, the first and the third detection find one: precision 1 and 2/3, each over half of the recall.

    >>> round(pooled_ap(np.array([True, False, True]), n_objects=2), 4), round((1 + 2 / 3) / 2, 4)
    (0.8333, 0.8333)
    """
    if n_objects == 0:
        return None
    hits = np.asarray(hits, dtype=bool)
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(envelope[hits].sum() / n_objects)
