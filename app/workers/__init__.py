"""Work beside the page: sampler processes, places in the line, threads, and their pace."""
