"""A run on disk: folder, documents, metrics, epochs, costs, initial weights, and the request that started it. No torch."""
