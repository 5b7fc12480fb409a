"""HTTP: routes, request and response models, errors and authentication. Knows use cases, never stores."""
