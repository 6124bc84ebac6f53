"""Models as the operator sees them."""
