# Filled in by the install slice.
