"""A run on disk: folder, documents, metrics, epochs, costs, initial weights, and the training request. No torch."""
