"""Vocabulary releases: finding and reading the files, keeping what they say in the database, swapping."""
