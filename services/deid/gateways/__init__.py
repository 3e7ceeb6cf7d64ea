"""Where deid touches the world: DICOM bytes, the object store, child processes, pictures."""
