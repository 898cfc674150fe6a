"""The adapters for homeservers whose accounts the Matrix Authentication Service keeps, against a stand-in for it."""
