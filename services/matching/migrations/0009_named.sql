-- Who of the roster made a first report, by any of their professional ids.
CREATE INDEX readers_named ON readers USING gin ((reader -> 'identifiers'));
