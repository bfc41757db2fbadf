"""Measuring quality, and watching a training for what goes wrong."""
