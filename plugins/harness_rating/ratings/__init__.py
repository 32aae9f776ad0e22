"""What raters did: their events, and the values that count."""
