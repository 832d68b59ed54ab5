"""What is set and pressed."""
