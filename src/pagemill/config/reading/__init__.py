"""How pages are read, as a platform file says it: sources and fields, steps before them, what they mean; and the small
languages that this is said in."""
