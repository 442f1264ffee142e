"""What every route stands in: who may, how answers and failures look, limits, headers."""
