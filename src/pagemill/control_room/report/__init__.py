"""The summary of a run or a day, as values and as an HTML page."""
