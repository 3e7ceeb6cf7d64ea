"""The imperative shell: Kafka, Postgres, HTTP, clock, telemetry. Services pass pure code in."""
