"""The arithmetic behind each page of Learn: pure functions, small arrays in, small arrays out."""
