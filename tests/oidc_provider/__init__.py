"""An identity provider nobody here wrote, for the tests to sign in at."""
