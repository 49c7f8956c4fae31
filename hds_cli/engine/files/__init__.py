"""Model files: what they are called, where they lie, what they hold, how they are had."""
