"""What a process tells of itself: which request or message a log line is about, and what is counted. Standard library only."""
