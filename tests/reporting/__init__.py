"""What is told: the terminal, JSON, Markdown, GitHub, and the HTML report, in Chromium where there is one."""
