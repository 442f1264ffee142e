"""Writes results into the catalogue's own table, and undoes that: plans, the table, and the audit."""
