"""The process: its wiring, its commands, and the server around it."""
