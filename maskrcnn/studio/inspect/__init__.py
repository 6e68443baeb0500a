"""The parts of the Predictions page, and the trained networks that pages open."""
