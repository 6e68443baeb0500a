"""The parts of the Annotate page: canvas, editing and saving, classes, regions, navigation and keys."""
