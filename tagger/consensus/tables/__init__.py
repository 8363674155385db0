"""CSV files of millions of rows: text as numbered columns, output all or nothing. No Django."""
