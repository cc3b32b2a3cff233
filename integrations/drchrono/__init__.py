"""DrChrono, the practice's chart: sign-on, client, webhook check and value types. Never decides, never starts anything."""
