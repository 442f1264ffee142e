"""From a page to a reading, and from a reading to a verdict."""
