"""What Droplens shows: no torch below this folder."""
