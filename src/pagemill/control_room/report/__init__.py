"""A run's or a day's summary, as values and as one page."""
