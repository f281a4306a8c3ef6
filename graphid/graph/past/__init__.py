"""The fold as it was: at a place, as it is known now; or of what was recorded by a moment."""
