"""From the rows of an official RxNorm release (RRF files) to the tables of a vocabulary. Pure: no files, no Django."""
