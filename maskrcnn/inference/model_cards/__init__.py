"""The parts of a model card: what is read from a run, what follows from it in words, and its Markdown. No torch."""
