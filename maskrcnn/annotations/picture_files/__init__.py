"""Details of picture files: EXIF, HEIC boxes, conversion to 8-bit RGB, memory limits, tonal range."""
