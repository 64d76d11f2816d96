"""From this checkout to a running service on AWS: build the package, apply it, look after it."""
