"""What the `stream` function serves: one module for each family of routes."""
