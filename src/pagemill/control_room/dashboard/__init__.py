"""The dashboard: one page that lives from the control API, and the files that it loads."""
