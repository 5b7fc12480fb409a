"""The log: immutable commits, one conditional append, readers that refuse a gap."""
