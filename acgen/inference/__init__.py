"""What a spectrum says: density and coordination, reach, flags, and how good all of it is."""
