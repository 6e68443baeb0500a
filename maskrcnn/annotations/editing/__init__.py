"""Changes of a picture's regions, as an editor makes them: pure functions on immutable regions."""
