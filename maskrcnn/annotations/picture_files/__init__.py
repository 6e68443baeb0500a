"""What lies in the file of a picture: its EXIF block, the boxes of a HEIC, and pixels of any kind as 8-bit RGB."""
