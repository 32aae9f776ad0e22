"""What ratings come to: verdicts between rounds, and how far metrics order answers alike."""
