"""What staff see of imports, and the words for it."""
