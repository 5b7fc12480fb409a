"""Tasks that run where the engine runs, without a server in between: in a function of the stack, and in the test kit."""
