"""Models that accounts may choose."""
