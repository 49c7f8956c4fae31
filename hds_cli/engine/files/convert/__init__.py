"""Safetensors to GGUF: the weights of a Hugging Face repository, made into a file that llama.cpp loads."""
