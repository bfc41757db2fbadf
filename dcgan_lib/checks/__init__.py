"""What is refused before any work, and in which words."""
