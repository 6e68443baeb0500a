"""A run on disk: folder, documents, metrics, schedule, costs, and the request that started it. Loads no torch."""
