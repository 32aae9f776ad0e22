"""What the trainings beside the rounds say."""
