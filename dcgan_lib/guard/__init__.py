"""Keras's habits: what a game of two networks makes of them, and which mistakes it refuses."""
