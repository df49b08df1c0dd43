"""What Droplens computes: no Qt below this folder."""
