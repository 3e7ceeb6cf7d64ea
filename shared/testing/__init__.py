"""What tests build on. Production code never imports this."""
