"""The training request that the Launch page makes from the values of its inputs, and the Config of this request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from maskrcnn.config import DEFAULT_PRESET, Config
from maskrcnn.errors import StudioError
from maskrcnn.runs import initial_weights, shipped_models
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.studio.launch.initial_weights_inputs import cached_torch_file_network, weights_and_init


def shown_config(request: TrainingRequest, labels: Mapping[str, Any] | None = None) -> Config:
    """The Config of a request, to show on the page. Raises `StudioError` like `TrainingRequest.config`.

    Unlike that method, it ignores initial weights whose file does not exist, for example while the path is incomplete.
    """
    if request.has_files():
        return request.config(labels, cached_torch_file_network)
    usual = initial_weights.usual_fields(
        request.starting_weights(), Config.preset(request.preset or DEFAULT_PRESET).norm
    )
    without = replace(request, init="none", backbone_weights="none", changed={**usual, **request.changed})
    return without.config(labels)


def request_of_start(preset: str, tasks: tuple[str, ...], start: str, path: str) -> TrainingRequest:
    """The request for a preset, tasks and initial weights, before other inputs are changed.

    `start` is a key of START_WORDS or SHIPPED_WORDS; `path` is the typed path, used if `start` needs one. For a shipped
    model, the request includes the fields of its network.
    """
    weights, init = weights_and_init(start, path)
    changed: dict[str, Any] = {"tasks": tasks}
    if shipped_models.folder(init):
        changed |= initial_weights.fields_of_network(shipped_models.shipped_config(init), tasks)
    return TrainingRequest(preset=preset, backbone_weights=weights, init=init, changed=changed).resolved()


def config_of_start(request: TrainingRequest) -> Config:
    """The Config with the initial values of the page's inputs.

    A weights file that cannot be read is ignored here; `shown_config` of the final request raises its error.
    """
    try:
        return shown_config(request)
    except StudioError:
        return shown_config(replace(request, init="", backbone_weights=""))


def default_eps_for_norm(request: TrainingRequest, norm: str) -> float:
    """The initial value of the input for `norm_eps` after the input for the norm of a request was set to `norm`."""
    return config_of_start(replace(request, changed={**request.changed, "norm": norm})).norm_eps


def with_changes(request: TrainingRequest, values: Mapping[str, Any]) -> TrainingRequest:
    """The request with the `values` that differ from the defaults of its preset and initial weights.

    `norm` and `layers` are always included, so that a waiting run is trained as the page showed it, even if the
    defaults for its initial weights change in the meantime.
    """
    always_included = {name: values[name] for name in ("norm", "layers") if name in values}
    # The default of `norm_eps` depends on the norm, so the defaults are those with the chosen norm.
    chosen_norm = {"norm": values["norm"]} if "norm" in values else {}
    defaults = config_of_start(replace(request, changed=chosen_norm))
    changed = {name: value for name, value in values.items() if value != getattr(defaults, name)}
    return replace(request, changed=always_included | changed)
