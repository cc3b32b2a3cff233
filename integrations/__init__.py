"""Adapters to the vendors: called by review, never calling it; they know no refill request."""
