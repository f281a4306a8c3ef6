"""What operators do: one act a module, and ``operating`` does them."""
