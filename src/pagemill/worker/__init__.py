"""The RQ side of a worker: takes batches, sends heartbeats, stops without loss. Knows nothing of pages."""
