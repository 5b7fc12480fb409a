"""The fold, one file per family: each changes a state that is nobody else's, as one event says."""
