"""Labels: what the user says that photos show, where it is kept, and how it comes and goes."""
