"""The part of a platform file about reading pages: sources and fields, steps, signs; and the small languages in which
these are written."""
