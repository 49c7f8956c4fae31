"""A model that stays loaded between commands: its process, the private socket to it, and the engine over that socket.

The process holds the model and nothing else. All that a command does, it does itself: settings, folder, terminal,
sources and history are its own, and only the calls of the engine's door go over the socket.
"""
