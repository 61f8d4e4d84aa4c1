"""Bytes that released formats wrote, kept for ever, and the events that they must still mean."""
