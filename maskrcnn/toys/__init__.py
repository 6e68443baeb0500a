"""Toy worlds: pictures drawn from a seed, with their labels. What the studio shows before anyone has labelled anything. No torch."""
