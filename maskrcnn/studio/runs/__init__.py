"""The parts of the Runs page: the list of runs, their curves, downloads and actions, and the queue."""
