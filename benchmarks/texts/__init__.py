"""Reports that nobody wrote about nobody, in two styles, with planted identifiers."""
