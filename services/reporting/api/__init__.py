"""How does a reader's app speak to reporting? See, read, compare, sign; then read the report."""
