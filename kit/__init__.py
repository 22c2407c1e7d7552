"""Domain-free tools: settings, tokens, hashing, sealing. Nothing here knows what an account is."""
