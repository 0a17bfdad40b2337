"""Deployment: ``live_model.py`` loads the live model of a loop into the engine that serves in this process."""
