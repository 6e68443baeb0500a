"""Label files of every format, in and out: a package for each format, and `table` with the list of them.

`label_file` reads one file of any format, `writing` writes a dataset in any. `label_format` says what a package offers.
"""
