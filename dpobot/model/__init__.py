"""The words that all rooms of the house share: identifiers, enums and frozen records. No I/O, no clock."""
