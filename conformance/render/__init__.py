"""From a report to its renderings: HTML, JSON, JUnit, Markdown, CTRF, SARIF, the terminal."""
