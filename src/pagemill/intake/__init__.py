"""Products in: from a catalogue to batches on the queue."""
