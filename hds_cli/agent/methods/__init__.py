"""Methods that watch a run: they see its moments, may add to what the model reads, and never end it."""
