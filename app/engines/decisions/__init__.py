"""Decision models: a state, typed questions, and a probability for every option of each."""
