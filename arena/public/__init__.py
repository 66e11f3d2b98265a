"""What an arena needs that strangers reach: a door, limits, forgetting, and the public link."""
