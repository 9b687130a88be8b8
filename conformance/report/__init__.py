"""Renderings of one report: HTML, JSON, JUnit XML, Markdown, and lines for a terminal. Pure functions of the model."""
