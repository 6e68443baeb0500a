"""What learns: samples, the loop, checkpoints, and the run folder that everyone else reads.

This package file stays free of torch, so that a page can read a run folder without loading it.
"""
