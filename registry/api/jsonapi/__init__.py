"""JSON:API documents: reading what clients send, and rendering resources, pages and errors."""
