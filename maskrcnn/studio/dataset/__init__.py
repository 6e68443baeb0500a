"""The parts of the Dataset page: one module for each of its views, and what they share."""
