"""The product itself."""
