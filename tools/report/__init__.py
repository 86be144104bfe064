"""report.html and exports: a run as one file to keep, send or print, and its scores as Markdown, CSV or metadata."""
