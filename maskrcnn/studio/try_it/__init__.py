"""The parts of the Try it page."""
