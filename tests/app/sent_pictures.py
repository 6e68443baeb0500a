"""What the Predictions page sends to its pictures, and what they load; the browser's matching of it is done here."""

from __future__ import annotations

import json
from typing import Any

from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from maskrcnn.studio.inspect import match_routes, match_sliders


def sent(app: AppTest) -> dict[str, Any]:
    """The data of the component."""
    protos = [element.proto for element in app.get("bidi_component")]
    (data,) = [json.loads(one.json) for one in protos if one.component_name == "studio_prediction_pictures"]
    return data


def loaded(app: AppTest) -> dict[str, Any]:
    """Objects, detections and IoUs, as the browser loads them."""
    answer = TestClient(Starlette(routes=match_routes.routes())).get(sent(app)["table"])
    assert answer.status_code == 200
    return answer.json()


def choose_score(app: AppTest, score: float) -> AppTest:
    """Let go of the slider at this minimum score."""
    app.session_state[match_sliders.state_key("score")] = score
    app.run()
    assert sent(app)["score"] == score
    return app


def counts(app: AppTest) -> list[int]:
    """TP, FP and FN of the chosen picture at the minimum score that was sent, at IoU 0.5."""
    table, score = loaded(app), sent(app)["score"]
    taken: set[int] = set()
    ignored, kept = 0, [row for row, entry in enumerate(table["detections"]) if entry["score"] >= score]
    for row in kept:  # the best score comes first; of equal IoUs the last object is taken
        fits = sorted((iou, column) for column, iou in table["overlaps"][row] if iou >= 0.5)
        free = [column for _, column in fits if not table["objects"][column]["crowd"] and column not in taken]
        if free:
            taken.add(free[-1])
        elif any(table["objects"][column]["crowd"] for _, column in fits):
            ignored += 1
    objects = sum(not entry["crowd"] for entry in table["objects"])
    return [len(taken), len(kept) - len(taken) - ignored, objects - len(taken)]
