"""CSV in and out, for millions of rows: text as numbered columns, output all or nothing (pure: no Django)."""
