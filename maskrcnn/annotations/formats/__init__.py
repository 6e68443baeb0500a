"""Label files of every format, in and out: one file each, found by content in `reading`, written by `writing`."""
