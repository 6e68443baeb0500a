"""Crops of pictures around single objects, and a grid of them."""
