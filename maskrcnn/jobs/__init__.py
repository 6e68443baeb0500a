"""Where trainings run: the queue of this machine, its devices, and the processes that it starts.

`queue` is the door for what waits and starts, `local` for one training: its state, how far it is, cancel and delete.
Nothing here imports torch; a training is started by its command line.
"""
