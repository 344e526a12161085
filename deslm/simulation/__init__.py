"""What `deslm simulate` and `deslm sweep` share: options, playing with a progress bar, tables, files, the report."""
