"""The analyses below the large picture of the Evaluation page: one module draws each of them, when it is chosen."""
