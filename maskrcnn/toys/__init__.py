"""Toy worlds: synthetic pictures with exact labels, drawn from a seed. Nothing here imports torch.

The studio uses them as sample data and to train the models that ship with it, so it can be tried without own labels.
"""
