"""Results into the catalogue's own table, and back: what is to be written, the table, the audit of it."""
