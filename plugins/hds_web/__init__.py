"""Search services of the web and of the scholarly world, each a few lines over one shared base (`base.py`)."""
