"""A throwaway homeserver and a person on it, for `dpobot demo` and for the tests."""
