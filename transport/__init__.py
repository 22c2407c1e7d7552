"""The HTTP edge: bounded bodies, media types, bounds on documents, status codes. Below it, only the kit."""
