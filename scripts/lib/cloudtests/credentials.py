"""Where credentials come from, and what is said when something about them is wrong."""
