"""A run on disk: its folder and documents, metrics, schedule and costs, and the request that started it. No torch."""
