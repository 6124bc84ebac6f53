"""Nothing that was accepted is lost, whatever dies."""
