"""`flowstrand demo`: three executions, each followed over every transport, and the proof that all agree."""
