"""Mails: their texts, in files that others than engineers edit, and how they leave."""
