"""Analyses of a measured set: what is wrong, why, and what it costs. Each takes a `MeasuredSet` and returns arrays."""
