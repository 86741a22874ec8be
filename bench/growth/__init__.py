"""How the whole way of a file grows: with years, days, files, products and announcements."""
