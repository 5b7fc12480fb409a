"""Running attempts of tasks, wherever: in a worker's process, in a function of the stack, in the test kit."""
