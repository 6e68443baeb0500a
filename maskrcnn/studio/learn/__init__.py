"""The parts of the RoIPool and RoIAlign page (group Learn)."""
