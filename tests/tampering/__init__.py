"""What others do to a log behind esflow's back, and what they put into it through its front."""
