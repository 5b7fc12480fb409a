"""What `flowstrand doctor` looks at: a file for each kind of thing. Checks read, and change nothing."""
