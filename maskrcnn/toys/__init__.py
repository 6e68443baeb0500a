"""Toy worlds: pictures drawn from a seed, with their labels. No torch.

What the studio can show, and learn from, before anyone has labelled anything.
"""
