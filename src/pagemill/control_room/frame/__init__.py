"""What all routes share: access rules, the form of answers and errors, limits, headers."""
