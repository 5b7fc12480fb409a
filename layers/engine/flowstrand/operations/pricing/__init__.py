"""What a recorded execution costs on AWS: how much of what it used, and what that is charged at."""
