"""A model behind a completion server (llama-server, vLLM, SGLang, Ollama, LM Studio), `-e openai`."""
