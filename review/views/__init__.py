"""Pages of the review app: decorator for role and method, getter, one verb, redirect or render."""
