"""One program per contestant, each of which visits the same URLs by its own means and notes the same things."""
