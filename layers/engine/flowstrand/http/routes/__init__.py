"""Routes by what they may touch; each module holds one Powertools `Router`."""
