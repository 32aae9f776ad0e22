"""What a run leaves for people: summary.json, analysis.json, reports and the database."""
