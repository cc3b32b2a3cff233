"""DrChrono, the practice's chart: tokens, client, webhook check and value types. Never decides or starts anything."""
