"""The history that a retry of a failed execution begins with: what of the old log is kept, and how it reads in the new one."""
