"""How the adapter is trained: the hand-written claims, the packed rows, the loop."""
