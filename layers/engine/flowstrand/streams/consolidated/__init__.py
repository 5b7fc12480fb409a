"""The consolidated stream: the logs of an execution and of all its descendants, merged by cause."""
