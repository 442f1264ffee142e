"""One event loop that outlives jobs: it runs batches through lanes."""
