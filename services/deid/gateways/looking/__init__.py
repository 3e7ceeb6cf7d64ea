"""Which places of a frame may be text? From bytes to pixels, from pixels to boxes with a score."""
