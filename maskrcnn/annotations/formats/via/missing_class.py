"""The error for a region without a class: it names the attributes that could be the class, and how to choose one."""

from __future__ import annotations

from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.formats.via.class_attributes import rival_attributes
from maskrcnn.annotations.formats.via.class_values import class_named_by_value, kind_of_value, n_ticked_options
from maskrcnn.annotations.regions import Region
from maskrcnn.errors import StudioError


def missing_class_error(place: str, dataset: Dataset, region: Region) -> StudioError:
    """Return the error for a region without a class. `place` names the file, the picture and the region.

    The message proposes attributes for the class: those of the region that have their own name as the value
    (`{"mango": "mango"}`), or those that `rival_attributes` finds.
    """
    if dataset.class_attribute is not None:
        if (several := n_ticked_options(region.attributes.get(dataset.class_attribute))) > 1:
            return StudioError(f'{place} has {several} boxes ticked for "{dataset.class_attribute}"; leave one of them')
        kinds = {
            name: kind_of_value(name, value, class_named_by_value(value)) for name, value in region.attributes.items()
        }
        if own_named := [name for name, kind in kinds.items() if kind == "own name"]:
            asked = ",".join((dataset.class_attribute, *own_named))
            return StudioError(
                f'{place} has no value for "{dataset.class_attribute}", but for "{own_named[0]}"; give it a class, or '
                f'take each of these for one: --class-attribute "{asked}"'
            )
        return StudioError(f'{place} has no value for "{dataset.class_attribute}"; give it one, or remove the region')
    if len(rivals := rival_attributes(dataset)) > 1:
        return StudioError(
            f"{place} has no class: several attributes name classes; take each of them for one, or say which is the "
            f'class (--class-attribute "{",".join(rivals)}", or Dataset > Classes)'
        )
    if region.attributes:
        carried = ", ".join(f'"{name}"' for name in region.attributes)
        return StudioError(
            f"{place} has no class that can be told from {carried}; say which is the class (--class-attribute NAME, or "
            "Dataset > Classes)"
        )
    return StudioError(f"{place} has no class; give it one, or remove the region")
