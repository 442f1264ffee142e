"""The checks of `pagemill check`."""
