"""Mask R-CNN Studio: label a few pictures, fine-tune Mask R-CNN on them, see where it is right and why.

The package is usable without a browser: `python -m maskrcnn --help`, or import its rooms directly.
`ARCHITECTURE.md` draws the house.
"""

__version__ = "0.1.0"
