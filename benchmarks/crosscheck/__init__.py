"""Sartor's estimators against those of two other projects; see README.md here."""
