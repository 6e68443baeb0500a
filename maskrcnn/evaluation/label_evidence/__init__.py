"""Evidence for and against labels: what networks find at their places, and how sure that is."""
