"""Rewriting of error messages for pages: command line options are replaced by the action on the page.

Error messages end with the action that solves the problem. Many appear both on the command line and on a page: for
example, the Runs page shows why a run in a terminal failed. `on_page` replaces options by the equivalent page action.
`tests/studio/shell/test_page_messages.py` searches all messages for options that no rule here handles.
"""

from __future__ import annotations

import re

_LAUNCH = "on the Launch page"

_RULES: tuple[tuple[str, str], ...] = (
    # Pictures
    (r"no such picture; put it there, or pass --images DIR", "no such picture; put it there, or remove it on Dataset"),
    (r", or pass --images DIR", ""),
    (r", or take it out of the label file$", ", or leave it out"),  # a project has no label file
    (r"pass --images DIR", "put it beside the labels"),
    (r"give the folder of pictures with --images DIR", "put the pictures beside the labels"),
    (r"give it, and this folder with --images, or label the pictures in the studio", "import it with them"),
    # Classes
    (r"\(--class-attribute (?:[A-Z]+|\"[^\"]*\"), or ", "("),
    (r"take each of these for one: --class-attribute (\"[^\"]*\")", r"take each of \1 for one under Dataset > Classes"),
    # Labels
    (r", or give another --data\b", ""),
    (r", or name others with --val\b", ""),
    (r"see what the doctor offers: python -m maskrcnn doctor", "see what Dataset > Doctor offers"),
    (r"(?<=; )python -m maskrcnn stretch", "in a terminal, python -m maskrcnn stretch"),  # no page can do this
    # Tasks
    (r"--tasks \S+ learns them", "switch keypoints on under “What it finds” to learn them"),
    (r"learn what there is: --tasks (\S+)", rf"switch on only what there is {_LAUNCH}: \1"),
    # Runs
    (r"choose another --out folder", "choose another name for the run"),
    (r"give --out a folder that does not exist yet", "choose another name for the run"),
    (r"give the --out folder of a training", "give the folder of a training"),
    (r"go on with: train --resume --out .*", "press Resume"),
    (r"start a new run from what it has learned: --init (.*)", rf"start a new training {_LAUNCH} from the run \1"),
    (r"train into another --out folder", f"start a new training {_LAUNCH}"),
    # Bundles
    (r", or for one made by: python -m maskrcnn export RUN --to bundle", ""),
    (r"give the zip that: python -m maskrcnn export RUN --to bundle", "give the zip of Runs > Download > Model bundle"),
    (r"open it first: python -m maskrcnn open .* --out RUN", "open it first, at the end of Runs"),
    # Weights
    (r"set that too, or leave out --preset to take the network of the file", f"choose the same {_LAUNCH}"),
    (r"train one from it with --backbone-weights (.*)", rf"start from it as the backbone {_LAUNCH}: \1"),
    (r"choose --backbone (\S+)_\.\.\.,", r"choose the backbone \1,"),
    (r"set it as trained: --set norm=frozen", "choose frozen BatchNorm under More choices"),
    (r"^--init coco: there are no COCO weights with", "there are no COCO weights with"),
    (r"or --backbone-weights imagenet", "or the ImageNet backbone"),
)
_COMPILED = tuple((re.compile(pattern), words) for pattern, words in _RULES)


def on_page(message: object) -> str:
    """Return a message with command line options replaced by page actions; other messages are not changed."""
    text = str(message)
    for pattern, words in _COMPILED:
        text = pattern.sub(words, text)
    return text
