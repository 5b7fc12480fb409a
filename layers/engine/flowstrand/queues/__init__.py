"""Messages between handlers: wakes, due messages and tasks. None carries truth; each may be lost or repeated."""
