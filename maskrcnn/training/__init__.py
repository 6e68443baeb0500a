"""Training: samples and augmentation, the loop, the optimiser, validation, the saved state of a run."""
