"""The parts of the Launch page: each section returns its part of the training request."""
