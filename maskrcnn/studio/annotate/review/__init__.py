"""From a figure to the object behind it: links to an object of a run, and the walk through suspected label errors."""
