"""The control room's pages, which get their data from the control API, and the files that the pages load."""
