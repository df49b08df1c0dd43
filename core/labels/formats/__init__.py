"""The forms in which labels leave and come: one file each, and the table of them all."""
