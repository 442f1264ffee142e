"""From a catalogue to batches on the queue."""
