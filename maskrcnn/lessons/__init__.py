"""The computations behind the pages of the Learn section: pure functions on small arrays."""
