"""Labels: the classes as drop targets, keys, filters, and the dialogs about labels."""
