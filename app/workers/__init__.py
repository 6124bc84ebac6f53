"""Dramatiq: the broker that wakes workers, and the actors that it wakes."""
