"""How fast the pipeline loads, beside `psql \\copy` of the same file in the same run."""
