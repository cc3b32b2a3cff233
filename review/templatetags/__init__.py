"""Filters for the review pages: codes to words, nothing else."""
