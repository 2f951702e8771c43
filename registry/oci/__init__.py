"""Pure rules of OCI content: media types and manifests. No I/O."""
