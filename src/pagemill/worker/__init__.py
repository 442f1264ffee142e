"""RQ's side of a worker: taking batches, keeping the beat, stopping well. Knows nothing of pages."""
