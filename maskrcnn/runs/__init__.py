"""A run on disk: folder, documents, metrics, epochs, costs, initial weights, and the request of a training. No torch."""
