"""Render a report as HTML, JSON, JUnit, Markdown, CTRF, SARIF and terminal text."""
