"""What only a deployed stack needs: settings from the environment, composition, the streaming runtime."""
