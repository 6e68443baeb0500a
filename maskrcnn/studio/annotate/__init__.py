"""The Annotate page: the editor of the regions, its routes, the simple canvas, and the choice of the picture."""
