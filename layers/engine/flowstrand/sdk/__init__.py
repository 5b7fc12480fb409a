"""What workflow and task authors import. The public names are re-exported, lazily, by `flowstrand`."""
