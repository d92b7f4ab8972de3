"""Columns of Parquet tables: their pages, and the numbers in them."""
