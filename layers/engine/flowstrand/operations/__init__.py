"""What whoever runs a stack, or a local server, does to it: with its own credentials, at its stores and queues, past the API."""
