"""What a partner would send: the cases, and the images that no package brings."""
