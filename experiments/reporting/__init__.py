"""From records to a report: tables, charts, pictures, the page."""
