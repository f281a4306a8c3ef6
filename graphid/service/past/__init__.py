"""What the service reads of the past: the same records, as they were."""
