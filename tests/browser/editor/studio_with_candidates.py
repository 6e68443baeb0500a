"""`python -m tests.browser.editor.studio_with_candidates` runs the studio with a fixed list of suspected label errors.

So that the test of the walk does not depend on how suspicions are estimated, which needs many pictures.
"""

import runpy

from maskrcnn.evaluation.label_errors import Candidate
from maskrcnn.studio.annotate.review import candidates

LABEL, OTHER = (100.0, 100.0, 200.0, 150.0), (500.0, 300.0, 200.0, 150.0)
CANDIDATES = (
    Candidate("missing", 0, None, 1, 0.97, 0.9, OTHER, "dog", "dog", "found with score 0.97 where nothing is labelled"),
    Candidate("wrong_class", 1, 2, 2, 0.9, 0.8, LABEL, "cat", "dog", "found as dog with score 0.90"),
    Candidate("shifted", 2, 3, 3, 0.8, 0.7, LABEL, "cat", "cat", "found beside the label, IoU 0.33"),
    Candidate("spurious", 3, 4, None, 0.0, 0.3, LABEL, "dog", None, "nothing was found here"),
)

if __name__ == "__main__":
    candidates.engine_candidates = lambda of: CANDIDATES
    runpy.run_module("maskrcnn.studio", run_name="__main__")
