"""Where trainings run: a backend of this machine, its queue and devices, and what else is known about a training.

`backend` is the interface that a place for trainings implements; `local` is the one of this machine, on top of `queue`.
`run_state` tells what a training does and how far it is. `measured_costs` and `cost_measurement` tell how long one
takes. Nothing here imports torch; a training is started by its command line.
"""
