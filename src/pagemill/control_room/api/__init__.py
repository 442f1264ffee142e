"""The control API: its routes with their models, the live connection, and the application that joins them."""
