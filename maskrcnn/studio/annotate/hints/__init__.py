"""Help from the machine on the Annotate page, in worker threads: `jobs` with progress and stop, `networks` that are
loaded once, and `suggestion_queue`, which works out the next pictures ahead. `hint_routes` are their HTTP routes."""
