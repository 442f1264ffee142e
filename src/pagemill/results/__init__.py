"""Results: one row per product and run in an SQL database, written once, read as a stream."""
