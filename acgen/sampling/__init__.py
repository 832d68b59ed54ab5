"""From random atoms to guided candidates: the schedule, the guide, the sampler, its settings."""
