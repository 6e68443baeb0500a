"""Run trainings as processes: the backend interface, the queue and devices of this machine, and the training state.

`backend` is the interface of a place that runs trainings. `local_backend` implements it for this machine with the
`queue`. The waiting and running jobs are rows of `job_table` in the SQLite file of `queue_database`; `queue_recovery`
repairs both. `unknown_trainings` adds trainings that were started from a terminal. `run_state` reports the state and
the progress of a training. `known_costs` and `cost_measurement` provide the time per step, for estimates of durations.
Nothing here imports torch; a training is started by its command line.
"""
