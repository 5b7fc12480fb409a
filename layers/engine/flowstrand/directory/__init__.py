"""The directory: what is not history. Nothing in it decides a sequence."""
