"""Decisions, one file per family: each emits onto a draft what follows from the state, or nothing, or refuses."""
