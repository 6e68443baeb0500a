"""What a person decided about suspected label errors, in the project's database."""
