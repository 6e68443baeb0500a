"""Label formats, for reading and writing. Each format is a package; `format_table` lists them.

`label_file` reads one file of any format. `writing` writes a dataset in any format. `format_interface` defines what a
format's package provides.
"""
