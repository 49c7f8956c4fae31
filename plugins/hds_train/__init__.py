"""`hds train`: teach a model the searcher's protocol with a LoRA adapter, from trajectories to a GGUF file."""
