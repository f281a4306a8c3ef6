"""One module for each family of mutations."""
