"""Average precision of one picture from a single ranking of all classes, as in the matterport notebooks.

Definition: sort the detections of the picture by score, all classes together. Match each detection to the unmatched
object of its class with the largest IoU of masks (or boxes if there are no masks), if it is at least the threshold.
After every detection, precision is (hits so far / detections so far) and recall is (hits so far / objects). Replace
each precision by the maximum at that recall or a higher one (the envelope). The AP is the area under the envelope over
recall. Recall rises only at hits, by 1 / objects, so the area is the sum of the envelope at the hits, divided by the
number of objects.

Differences from the notebooks: a picture without objects has no AP (None) instead of a division by zero. Crowds, and
detections that are matched to one, are left out. The ranking has all detections of the model, down to its
`detection_min_confidence`; the notebooks used scores of at least 0.7 by default.

Differences from COCO's AP50: classes share one ranking instead of being averaged, detections of a class that the
picture does not have count as false positives, and the area is exact instead of sampled at 101 recalls.
"""

from __future__ import annotations

import numpy as np


def pooled_ap(hits: np.ndarray, n_objects: int) -> float | None:
    """The area under the envelope of the precision-recall curve, in [0, 1]; None if there are no objects.

    `hits` (P,) bool tells for each detection, best score first, whether it is a true positive.

    Example: two objects, found by the first and the third detection. Precision is 1 and 2/3, each for half the recall.

    >>> round(pooled_ap(np.array([True, False, True]), n_objects=2), 4), round((1 + 2 / 3) / 2, 4)
    (0.8333, 0.8333)
    """
    if n_objects == 0:
        return None
    hits = np.asarray(hits, dtype=bool)
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(envelope[hits].sum() / n_objects)
