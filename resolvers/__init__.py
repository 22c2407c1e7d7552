"""What happens: one async verb an operation, with the caller first and its refusals raised as kit.errors.Refusal."""
