"""What serves the fleet to people and programs: API, pages, metrics, reports, and what they change."""
