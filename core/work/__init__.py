"""Work in the background: requests, the lanes that carry them out, and streams of items."""
